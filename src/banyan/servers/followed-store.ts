// The pool of one module in this process, and where its store is: the pool goes where the picture says. Guarantees: held means
// that nothing new begins here; it is said at once when nothing is under way any more and the server where the store goes has let
// us in (one that does not keeps the store where it is), and when the pool is at another server; an older picture never leads back; no gate is opened by time alone, but by what the picture says.
// It must not know who decides where a store is, nor why.
import type { Logger } from 'pino';
import type { StoreReport } from '../placement/host.ts';
import type { ModulePool } from '../postgres/module-pool.ts';
import { type ServerAddress, urlAt } from '../postgres/server-address.ts';
import type { StorePlace } from '../routing/snapshot.ts';

export interface FollowedOptions {
  readonly module: string;
  readonly pool: ModulePool;
  /** The module's own URL as this host was told it: the shared server's. */
  readonly url: string;
  /** Something was done that others may wait to hear. */
  readonly onDone: () => void;
  readonly log: Pick<Logger, 'info' | 'warn'>;
}

/** A pause has a budget of 300 ms; whoever is held for so long is told of. */
const LONG_MS = 10_300;

export class FollowedStore {
  readonly #of: FollowedOptions;
  #wanted: StorePlace | undefined;
  /** Of the place that the pool is at. */
  #epoch = -1;
  #settling: Promise<void> = Promise.resolve();
  #busy = false;
  #holding = false;
  /** The server where it is about to go has not let us in, as yet. */
  #entering: object | undefined;
  /** Connections are there where it may go soon. */
  #ready = false;

  constructor(options: FollowedOptions) {
    this.#of = options;
  }

  /** Undefined: it has never moved, as far as is known here. */
  get report(): StoreReport | undefined {
    const { pool } = this.#of;
    if (!this.#wanted) return undefined;
    return {
      epoch: Math.max(0, this.#epoch),
      held: pool.held,
      open: pool.open + (this.#entering ? 1 : 0),
      ...(this.#ready && { ready: true }),
    };
  }

  /** Resolves when the pool is as the newest of such calls said. Never rejects. */
  follow(place: StorePlace | undefined): Promise<void> {
    if (!place || place.epoch < (this.#wanted?.epoch ?? 0)) return this.settled();
    this.#wanted = place;
    if (!this.#busy) this.#settling = this.#settle();
    return this.#settling;
  }

  settled(): Promise<void> {
    return this.#settling;
  }

  async #settle(): Promise<void> {
    this.#busy = true;
    for (let place: StorePlace | undefined; place !== this.#wanted; ) {
      place = this.#wanted!;
      const url = this.#urlOf(place.address);
      const goes = url !== this.#of.pool.options.connectionString;
      if (goes) await this.#go(url, place);
      const arrived = place.epoch !== this.#epoch;
      this.#epoch = place.epoch;
      if (place.gate === 'held') this.#hold(place);
      else if (place.next && !this.#holding) void this.#getReady(place.next);
      else this.#open();
      if (goes || arrived) this.#of.onDone();
    }
    // In the same turn in which nothing newer was there.
    this.#busy = false;
  }

  #urlOf(address: Partial<ServerAddress> | undefined): string {
    return urlAt(this.#of.url, address && isWhole(address) ? address : undefined);
  }

  /** Work goes on meanwhile. Where it comes to nothing the pause makes the connections that it needs. */
  async #getReady(next: Partial<ServerAddress>): Promise<void> {
    const { pool, module, log, onDone } = this.#of;
    try {
      await pool.warm(this.#urlOf(next));
    } catch (error) {
      // The move may have been given up meanwhile; then nobody needs to know.
      if (this.#wanted?.next !== next) return;
      log.warn(
        { module, error: (error as Error).message },
        'connections where the store may go soon could not be made',
      );
      return;
    }
    if (this.#wanted?.next !== next || this.#holding) return;
    this.#ready = true;
    onDone();
  }

  /** Whoever comes meanwhile waits at the gate. */
  async #go(url: string, { server, epoch }: StorePlace): Promise<void> {
    const { pool, module, log } = this.#of;
    void pool.hold();
    try {
      await pool.switchTo(url);
      log.info({ module, server, epoch }, 'the store is on another server now');
    } catch (error) {
      // It goes there all the same, as the store is nowhere else: requests fail until that server answers.
      await pool.switchTo(url, true);
      log.warn(
        { module, server, epoch, error: (error as Error).message },
        'the server of the store does not let us in',
      );
    }
  }

  #hold({ server, next }: StorePlace): void {
    const { pool, module, log, onDone } = this.#of;
    if (this.#holding) return;
    this.#holding = true;
    this.#ready = false;
    const done = pool.hold();
    // Without an address it goes to the shared server by the URL that each host has anyway.
    const entered = next || server !== 'shared' ? this.#enter(this.#urlOf(next)) : undefined;
    const timer = setTimeout(() => {
      log.warn(
        { module },
        'the store is held for long: whoever comes waits 5 s and gets 503 until it is decided',
      );
    }, LONG_MS).unref();
    void Promise.all([done, entered]).then(([nothingOpen]) => {
      if (nothingOpen && this.#holding && !this.#entering) onDone();
    });
    this.#over = () => clearTimeout(timer);
  }

  async #enter(url: string): Promise<void> {
    const { pool, module, log } = this.#of;
    const mine = {};
    this.#entering = mine;
    try {
      await pool.prepare(url);
      if (this.#entering === mine) this.#entering = undefined;
    } catch (error) {
      if (this.#holding)
        log.warn(
          { module, error: (error as Error).message },
          'the server where the store is to go does not let us in',
        );
    }
  }

  #over = () => {};

  #open(): void {
    const { pool, onDone } = this.#of;
    const was = this.#holding;
    this.#holding = false;
    this.#ready = false;
    this.#entering = undefined;
    this.#over();
    pool.release();
    if (was) onDone();
  }
}

function isWhole(address: Partial<ServerAddress>): address is ServerAddress {
  return address.host !== undefined;
}
