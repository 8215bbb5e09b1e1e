// Follows placement in the database: for monoliths and gateways, which have its role.
// A notification makes it look at once, a look every 0.5 s is the safety net, and each look is the heartbeat
// of this host. Guarantees: nothing here throws at a caller; while the store is down the last picture holds;
// what it acknowledges it decides by already.
import type { Logger } from 'pino';
import type { Snapshot } from '../routing/snapshot.ts';
import {
  coalesced,
  createLookAgain,
  createPicture,
  type Follower,
  isAwaited,
  type Picture,
} from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { snapshotOf } from './picture.ts';
import type { ControlStore } from './store.ts';
import { createSweep, type Sweep } from './sweep.ts';
import { SPOKEN } from './words.ts';

const POLL_MS = 500;
const AWAITED_MS = 100;

export interface DatabaseFollower extends Follower {
  /** Of the store when the present picture was read; '' before that. */
  readonly tag: string;
}

export interface DatabaseFollowerOptions {
  readonly store: ControlStore;
  readonly log: Logger;
  /** Test seam: look only when told to. */
  readonly polls?: boolean;
}

export function createDatabaseFollower(options: DatabaseFollowerOptions): DatabaseFollower {
  return new TableFollower(options);
}

class TableFollower implements DatabaseFollower {
  readonly #store: ControlStore;
  readonly #log: Logger;
  readonly #polls: boolean;
  readonly #picture: Picture;
  readonly #sweep: Sweep;
  readonly #tick = coalesced(() => this.#lookAndSchedule());
  readonly #lookAgain = createLookAgain(async () => {
    await this.#tick();
    return this.#connected;
  });
  #tag = '';
  #member: { self: Registration; report: () => HostReport } | undefined;
  /** Somebody says that there is something new: requests may wait for this host to have it. */
  #told = false;
  #connected = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;

  constructor({ store, log, polls = true }: DatabaseFollowerOptions) {
    this.#store = store;
    this.#log = log;
    this.#polls = polls;
    this.#picture = createPicture((error) => log.error({ err: error }, 'a listener of placement failed'));
    this.#sweep = createSweep(store, log);
  }

  get current(): Snapshot {
    return this.#picture.current;
  }

  get loaded(): boolean {
    return this.#tag !== '';
  }

  get tag(): string {
    return this.#tag;
  }

  get connected(): boolean {
    return this.#connected;
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    return this.#picture.subscribe(listener);
  }

  async refresh(): Promise<Snapshot> {
    await this.#lookAgain();
    return this.#picture.current;
  }

  beat(): Promise<void> {
    return this.#tick();
  }

  async start(): Promise<void> {
    await this.#look();
    if (this.#polls)
      this.#unlisten = this.#store.listen(() => {
        this.#told = true;
        void this.#tick();
      });
    this.#schedule();
  }

  async register(self: Registration, report: () => HostReport): Promise<void> {
    const known = { ...self, speaks: SPOKEN };
    const version = await this.#store.registry.register(known, report());
    this.#member = { self: known, report };
    await this.#tick();
    if (this.#picture.current.version < version)
      throw new Error('the control store went away while this host registered');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#unlisten?.();
    await this.#tick(); // One that runs may be registering this host again; leave after it.
    clearTimeout(this.#timer);
    if (this.#member) await this.#store.registry.leave(this.#member.self.host).catch(() => {});
  }

  async #lookAndSchedule(): Promise<void> {
    if (this.#stopped) return;
    try {
      await this.#look();
      await this.#sweep.succeeded(this.#member?.self.host);
    } catch (error) {
      this.#sweep.failed();
      if (this.#connected)
        this.#log.error(
          { error: (error as Error).message },
          'the control store does not answer; keeping the last placements',
        );
      this.#connected = false;
    }
    this.#schedule();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || !this.#polls) return;
    const member = this.#member;
    const awaited = member && isAwaited(this.#picture.current, member.self, member.report());
    this.#timer = setTimeout(this.#tick, awaited ? AWAITED_MS : POLL_MS);
  }

  async #look(): Promise<void> {
    const told = this.#told;
    this.#told = false;
    if (told || (await this.#greet()) !== this.#tag) {
      await this.#load();
      if (this.#member) await this.#greet();
    }
    if (!this.#connected) this.#log.info({ version: this.#picture.current.version }, 'following placement');
    this.#connected = true;
  }

  /** Says that this host lives and answers the store's tag. */
  async #greet(): Promise<string> {
    if (!this.#member) return this.#store.tag();
    const { self, report } = this.#member;
    const { version } = this.#picture.current;
    const heartbeat = { ...report(), host: self.host, appliedVersion: version, speaks: SPOKEN };
    const answer = await this.#store.registry.beat(heartbeat);
    if (answer !== undefined) return answer;
    await this.#store.registry.register(self, report());
    return this.#store.tag();
  }

  async #load(): Promise<void> {
    const tables = await this.#store.read();
    this.#tag = tables.tag;
    this.#picture.replace(snapshotOf(tables));
  }
}
