// Follows placement in the database: for monoliths and gateways, which have its role.
// A notification makes it look at once, a look every 0.5 s is the safety net, and each look is the heartbeat
// of this host. Guarantees: nothing here throws at a caller; while the store is down the last picture holds;
// what it acknowledges it decides by already.
import type { Logger } from 'pino';
import { coalesced, createLookAgain, createPicture, type Follower, isAwaited } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { snapshotOf } from './picture.ts';
import type { ControlStore } from './store.ts';
import { createSweep } from './sweep.ts';

const pollMs = 500;
const awaitedMs = 100;

export interface DatabaseFollower extends Follower {
  /** Of the store when the present picture was read; '' before that. */
  readonly tag: string;
  /** False while the store does not answer. */
  readonly connected: boolean;
}

export interface DatabaseFollowerOptions {
  readonly store: ControlStore;
  readonly log: Logger;
  /** Test seam: look only when told to. */
  readonly polls?: boolean;
}

export function createDatabaseFollower({
  store,
  log,
  polls = true,
}: DatabaseFollowerOptions): DatabaseFollower {
  const picture = createPicture((error) => log.error({ err: error }, 'a listener of placement failed'));
  const sweep = createSweep(store, log);
  let tag = '';
  let member: { self: Registration; report: () => HostReport } | undefined;
  let connected = false;
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let unlisten: (() => Promise<void>) | undefined;

  const load = async () => {
    const tables = await store.read();
    tag = tables.tag;
    picture.replace(snapshotOf(tables));
  };

  /** Says that this host lives and answers the store's tag. */
  const greet = async (): Promise<string> => {
    if (!member) return store.tag();
    const { self, report } = member;
    const heartbeat = { ...report(), host: self.host, appliedVersion: picture.current.version };
    const answer = await store.roster.beat(heartbeat);
    if (answer !== undefined) return answer;
    await store.roster.register(self, report());
    return store.tag();
  };

  const look = async () => {
    if ((await greet()) !== tag) {
      await load();
      if (member) await greet();
    }
    if (!connected) log.info({ version: picture.current.version }, 'following placement');
    connected = true;
  };

  const tick = coalesced(async () => {
    if (stopped) return;
    try {
      await look();
      await sweep.succeeded(member?.self.host);
    } catch (error) {
      sweep.failed();
      if (connected)
        log.error(
          { error: (error as Error).message },
          'the control store does not answer; keeping the last placements',
        );
      connected = false;
    }
    schedule();
  });

  const lookAgain = createLookAgain(async () => {
    await tick();
    return connected;
  });

  const schedule = () => {
    clearTimeout(timer);
    if (stopped || !polls) return;
    const awaited = member && isAwaited(picture.current, member.self, member.report());
    timer = setTimeout(tick, awaited ? awaitedMs : pollMs);
  };

  return {
    get current() {
      return picture.current;
    },
    get loaded() {
      return tag !== '';
    },
    get tag() {
      return tag;
    },
    get connected() {
      return connected;
    },
    subscribe: (listener) => picture.subscribe(listener),
    refresh: async () => {
      await lookAgain();
      return picture.current;
    },
    beat: tick,

    async start() {
      await look();
      if (polls) unlisten = store.listen(() => void tick());
      schedule();
    },

    async register(self, report) {
      const version = await store.roster.register(self, report());
      member = { self, report };
      await tick();
      if (picture.current.version < version)
        throw new Error('the control store went away while this host registered');
    },

    async stop() {
      stopped = true;
      await unlisten?.();
      await tick(); // One that runs may be registering this host again; leave after it.
      clearTimeout(timer);
      if (member) await store.roster.leave(member.self.host).catch(() => {});
    },
  };
}
