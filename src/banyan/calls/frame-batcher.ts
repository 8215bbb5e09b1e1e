// What one side of a connection has to say in this turn of the event loop, sent as one frame: with 64 calls
// at once that is one write instead of 64 and doubles the calls per second (bench/calls/profiles.md); a call
// on its own leaves at once and loses nothing. It knows no message by name.
import type { WebSocket } from 'ws';

/** A frame holds no more than this (in characters) unless one message alone is longer. */
const FRAME_CHARACTERS = 64 * 1024;

export class FrameBatcher {
  readonly #ws: WebSocket;
  readonly #sent: () => void;
  readonly #flush = () => this.flush();
  #messages: string[] = [];
  #characters = 0;

  /** @param sent called after every write: the moment to look at what the socket could not take. */
  constructor(ws: WebSocket, sent: () => void) {
    this.#ws = ws;
    this.#sent = sent;
  }

  /** @param last nothing is expected to follow in this turn: all of it leaves at once. */
  push(message: string, last: boolean): void {
    if (this.#characters > 0 && this.#characters + message.length > FRAME_CHARACTERS) this.flush();
    // After all sockets that were readable in this turn: requests of several clients, each of which came by a socket
    // of its own, go along in one frame. process.nextTick would run after each socket: a frame for each.
    if (this.#characters === 0 && !last) setImmediate(this.#flush);
    this.#messages.push(message);
    this.#characters += message.length;
    if (last) this.flush();
  }

  flush(): void {
    if (this.#characters === 0) return;
    const messages = this.#messages;
    this.#messages = [];
    this.#characters = 0;
    this.#ws.send(messages.length === 1 ? messages[0]! : `[${messages.join(',')}]`);
    this.#sent();
  }
}
