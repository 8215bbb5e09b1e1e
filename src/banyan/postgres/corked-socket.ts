// A socket that hands over at once what is written to it in one turn of the event loop. Statements of a pipeline
// leave in one system call and wake the server once: on two cores each wake costs as much as a small statement.
// (Not over TLS, which takes the connection away from it.)
// It must not know what is written.
import { Socket } from 'node:net';

export class CorkedSocket extends Socket {
  #gathering = false;

  /** Where `write` is put in place: `connect` replaces whatever a subclass has by Socket's own. */
  override connect(...how: unknown[]): this {
    super.connect(...(how as Parameters<Socket['connect']>));
    this.write = (...what: unknown[]) => {
      this.#gather();
      return super.write(...(what as Parameters<Socket['write']>));
    };
    return this;
  }

  /** The turn is over when neither promises nor ticks have anything left to do. */
  #gather(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.cork();
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#gathering = false;
        this.uncork();
      }),
    );
  }
}
