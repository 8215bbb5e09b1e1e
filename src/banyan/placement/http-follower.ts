// Follows placement over HTTP: for services, which need no right on the control tables. One POST at a time
// registers, beats and waits up to 1 s for the next picture; whichever monolith answers will do.
// Guarantees: after the first picture nothing here throws at a caller; while no monolith answers the last
// picture holds; a registration that control refuses is told to `onRefused`, because it will not get better.

import type { Snapshot } from '../routing/snapshot.ts';
import { Conversation, type ConversationOptions, interrupted } from './conversation.ts';
import { coalesced, createLookAgain, createPicture, type Follower, type Picture } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { Refused } from './sync-client.ts';

export interface HttpFollowerOptions extends ConversationOptions {
  /** Control refused this host after it was registered once (its id was given to another meanwhile). */
  readonly onRefused: (refusal: Refused) => void;
  /** How long `start` asks before it gives up. Default: START_MS. */
  readonly startMs?: number;
}

/** Services may be up before their monolith. */
export const START_MS = 60_000;

// An id may still be held for 3 s by a process that died; so long it is asked for again.
const ID_TAKEN_WAIT_MS = 5000;
const WAIT_MS = 1000;
const AWAITED_MS = 100;

export function createHttpFollower(options: HttpFollowerOptions): Follower {
  return new HttpFollower(options);
}

class HttpFollower implements Follower {
  readonly #options: HttpFollowerOptions;
  readonly #picture: Picture;
  readonly #control: Conversation;
  // Coalesced: callers at the same moment must not break off one another's exchange.
  readonly #beat = coalesced(() => this.#beatOnce());
  readonly #lookAgain = createLookAgain(async () => {
    await this.#beat();
    return this.#beaten;
  });
  #beaten = false;
  #stopped = false;
  /** Ends the wait after a failure. */
  #wake = () => {};

  constructor(options: HttpFollowerOptions) {
    const { log } = options;
    this.#options = options;
    this.#picture = createPicture((error) => log.error({ err: error }, 'a listener of placement failed'));
    this.#control = new Conversation(options, this.#picture);
  }

  get current(): Snapshot {
    return this.#picture.current;
  }

  get loaded(): boolean {
    return this.#control.tag !== '';
  }

  get connected(): boolean {
    return this.#control.answers;
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    return this.#picture.subscribe(listener);
  }

  async refresh(): Promise<Snapshot> {
    await this.#lookAgain();
    return this.#picture.current;
  }

  beat(): Promise<void> {
    return this.#beat();
  }

  async start(): Promise<void> {
    const { startMs = START_MS } = this.#options;
    await this.#persist(startMs, (error) => error instanceof Refused);
    void this.#follow();
  }

  async register(self: Registration, report: () => HostReport): Promise<void> {
    this.#control.introduce(self, report);
    await this.#persist(ID_TAKEN_WAIT_MS, (error) => error instanceof Refused && error.reason !== 'id-taken');
    this.#control.admitted = true;
    await this.#beat();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#control.leave();
  }

  async #follow(): Promise<void> {
    const control = this.#control;
    let fresh = true;
    while (!this.#stopped) {
      const before = control.tag;
      const ms = control.awaited ? AWAITED_MS : WAIT_MS;
      try {
        await control.listen(fresh ? 0 : ms);
        // A new picture is acknowledged at once; then the next request waits.
        fresh = control.tag !== before;
      } catch (error) {
        if (error === interrupted) fresh = true;
        else if (!this.#stopped) await this.#failed(error as Error);
      }
    }
  }

  async #failed(error: Error): Promise<void> {
    const control = this.#control;
    const { log, onRefused } = this.#options;
    if (error instanceof Refused && error.reason !== 'unauthenticated' && control.admitted) {
      control.admitted = false;
      onRefused(error);
    }
    if (control.failed())
      log.error(
        { control: control.target, error: error.message },
        'control does not answer; keeping the last placements',
      );
    control.turnToNext();
    await this.#pause(control.waitMs);
  }

  /** Until an exchange succeeds, for so long at most; an error that is final ends it at once. */
  async #persist(ms: number, isFinal: (error: Error) => boolean): Promise<void> {
    const control = this.#control;
    const deadline = Date.now() + ms;
    for (;;) {
      try {
        return await control.speak(true);
      } catch (error) {
        if (this.#stopped || Date.now() > deadline || isFinal(error as Error)) throw error;
        if (error === interrupted) continue;
        const { message } = error as Error;
        if (control.failed())
          this.#options.log.info({ control: control.target, reason: message }, 'waiting for control');
        await this.#pause(control.waitMs);
      }
    }
  }

  async #beatOnce(): Promise<void> {
    this.#wake();
    this.#control.interrupt();
    try {
      await this.#control.speak();
      this.#beaten = true;
    } catch (error) {
      this.#beaten = false;
      if (error !== interrupted) this.#control.turnToNext();
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
