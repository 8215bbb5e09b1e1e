// Follows placement over HTTP: for services, which need no right on the control tables. One POST at a time
// registers, beats and waits up to 1 s for the next picture; whichever monolith answers will do.
// Guarantees: after the first picture nothing here throws at a caller; while no monolith answers the last
// picture holds; a registration that control refuses is told to `onRefused`, because it will not get better.
import type { Logger } from 'pino';
import { waitAfter } from '../backoff.ts';
import { coalesced, createLookAgain, createPicture, type Follower, isAwaited } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import type { Snapshot } from './snapshot.ts';
import type { SyncAnswer } from './sync.ts';
import { Refused, sendSync } from './sync-client.ts';
import type { SyncRequest } from './sync-request.ts';

export interface HttpFollowerOptions {
  /** CONTROL_URL: the internal port of a monolith. Others are learnt from the pictures. */
  readonly controlUrl: string;
  /** An internal token for the audience. */
  readonly token: (audience: string) => string | Promise<string>;
  readonly log: Logger;
  /** Control refused this host after it was registered once (its id was given to another meanwhile). */
  readonly onRefused: (refusal: Refused) => void;
  /** How long `start` asks before it gives up. Default 60 s: services may be up before their monolith. */
  readonly startMs?: number;
}

/** Why an exchange was broken off: this host has something to say now. */
const interrupted = new Error('interrupted');

// An id may still be held for 3 s by a process that died; so long it is asked for again.
const idPatienceMs = 5000;
const waits = { firstMs: 100, longestMs: 500 };

export function createHttpFollower(options: HttpFollowerOptions): Follower {
  const { controlUrl, token, log, onRefused, startMs = 60_000 } = options;
  const picture = createPicture((error) => log.error({ err: error }, 'a listener of placement failed'));
  let tag = '';
  let member: { self: Registration; report: () => HostReport } | undefined;
  let registered = false;
  let admitted = false;
  let target = controlUrl;
  let failures = 0;
  let stopped = false;
  let waiting: AbortController | undefined;
  let turn: Promise<void> = Promise.resolve();
  let wake = () => {};

  const send = (body: SyncRequest): Promise<SyncAnswer> => {
    waiting = new AbortController();
    return sendSync(target, token, body, waiting.signal);
  };

  /** One exchange: what this host is and does, and what control has for it. Never two at a time. */
  const exchange = async (waitMs: number, mayRegister = admitted): Promise<void> => {
    const report = member?.report();
    const answer = await send({
      tag,
      waitMs,
      ...(member &&
        !registered &&
        mayRegister && { register: member.self as unknown as SyncRequest['register'] }),
      ...(member &&
        report && { beat: { ...report, host: member.self.host, appliedVersion: picture.current.version } }),
    });
    if (member) registered = answer.known;
    if (answer.snapshot) {
      picture.replace(inOurTime(answer.snapshot, Date.now() - answer.now));
      tag = answer.tag;
    }
    if (failures > 0) log.info({ control: target }, 'control answers again');
    failures = 0;
  };

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work);
    turn = mine.catch(() => {});
    return mine;
  };

  const loop = async () => {
    let fresh = true;
    while (!stopped) {
      const before = tag;
      const awaited = member && isAwaited(picture.current, member.self, member.report());
      try {
        await inTurn(() => exchange(fresh || (admitted && !registered) ? 0 : awaited ? 100 : 1000));
        // A new picture is acknowledged at once; then the next request waits.
        fresh = tag !== before;
      } catch (error) {
        if (error === interrupted) fresh = true;
        else if (!stopped) await failed(error as Error);
      }
    }
  };

  const failed = async (error: Error) => {
    if (error instanceof Refused && error.reason !== 'unauthenticated' && admitted) {
      admitted = false;
      onRefused(error);
    }
    if (failures === 0)
      log.error(
        { control: target, error: error.message },
        'control does not answer; keeping the last placements',
      );
    target = nextTarget(target, controlUrl, picture.current);
    failures += 1;
    await pause(waitAfter(failures, waits));
  };

  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const persist = async (ms: number, isFinal: (error: Error) => boolean): Promise<void> => {
    const deadline = Date.now() + ms;
    for (;;) {
      try {
        return await inTurn(() => exchange(0, true));
      } catch (error) {
        if (stopped || Date.now() > deadline || isFinal(error as Error)) throw error;
        if (error === interrupted) continue;
        if (failures++ === 0)
          log.info({ control: target, reason: (error as Error).message }, 'waiting for control');
        await pause(waitAfter(failures, waits));
      }
    }
  };

  let beaten = false;
  // Coalesced: callers at the same moment must not break off one another's exchange.
  const beat = coalesced(async () => {
    wake();
    waiting?.abort(interrupted);
    try {
      await inTurn(() => exchange(0));
      beaten = true;
    } catch (error) {
      beaten = false;
      if (error !== interrupted) target = nextTarget(target, controlUrl, picture.current);
    }
  });
  const lookAgain = createLookAgain(async () => {
    await beat();
    return beaten;
  });

  return {
    get current() {
      return picture.current;
    },
    get loaded() {
      return tag !== '';
    },
    subscribe: (listener) => picture.subscribe(listener),
    refresh: async () => {
      await lookAgain();
      return picture.current;
    },
    beat,

    async start() {
      await persist(startMs, (error) => error instanceof Refused);
      void loop();
    },

    async register(self, report) {
      member = { self, report };
      registered = false;
      waiting?.abort(interrupted);
      await persist(idPatienceMs, (error) => error instanceof Refused && error.reason !== 'id-taken');
      admitted = true;
      await beat();
    },

    async stop() {
      stopped = true;
      wake();
      waiting?.abort(interrupted);
      await turn;
      if (member && registered) await send({ tag, waitMs: 0, leave: member.self.host }).catch(() => {});
    },
  };
}

/** CONTROL_URL and the monoliths of the last picture, in turn. */
function nextTarget(failed: string, controlUrl: string, { monoliths }: Snapshot): string {
  const all = [...new Set([controlUrl, ...monoliths.map(({ url }) => url)])];
  return all[(all.indexOf(failed) + 1) % all.length]!;
}

/** `stableSince` was said by another clock, which ours is `ahead` of. */
function inOurTime(snapshot: Snapshot, ahead: number): Snapshot {
  const modules = Object.fromEntries(
    Object.entries(snapshot.modules).map(([name, module]) => [
      name,
      module.stableSince === undefined ? module : { ...module, stableSince: module.stableSince + ahead },
    ]),
  );
  return { ...snapshot, modules };
}
