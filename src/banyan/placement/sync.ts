// How a host without the control database follows placement: one POST that registers, beats and waits for
// the next picture, to the internal port of any monolith. Here: what is sent, and the monolith's side of it.
// An instance whose contract would break its callers is refused with the paths that differ.
import type { Logger } from 'pino';
import { libraryProblem } from '../contract/problem.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import { admitRegistration, notYours, ownCounts } from './admission.ts';
import type { ServiceNetworks } from './advertised.ts';
import { type CanonicalContract, own } from './canonical.ts';
import { compareContracts, type Difference } from './compatibility.ts';
import type { DatabaseFollower } from './database-follower.ts';
import { IdTaken, KeyReplaced, NotYours, TooMany } from './entry.ts';
import { until } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import { forgetKeptOut, noteKeptOut } from './kept-out.ts';
import { type ControlStore, StoreUnavailable } from './store.ts';
import { checkSync, type SyncRequest } from './sync-request.ts';
import { inItsWords, wordsUnknownTo } from './words.ts';

/** On the internal port; its tokens have the audience CONTROL_AUDIENCE. */
export const SYNC_PATH = '/control/sync';

export interface SyncAnswer {
  /** False: the registry does not know this host; send `register`. */
  readonly known: boolean;
  readonly tag: string;
  /** This monolith's clock, which `stableSince` in the snapshot is of. */
  readonly now: number;
  /** Absent when the host has it. */
  readonly snapshot?: Snapshot;
}

export interface SyncOptions {
  readonly store: ControlStore;
  readonly follower: DatabaseFollower;
  /** What this monolith's modules promise and its callers rely on, by module. */
  readonly contracts: Readonly<Record<string, CanonicalContract>>;
  /** Where services may say that they are reached. */
  readonly networks: ServiceNetworks;
  readonly log: Logger;
}

export type SyncHandler = (body: unknown, caller: InternalCaller) => Promise<SyncAnswer>;

export function createSyncHandler(options: SyncOptions): SyncHandler {
  const { store, follower, contracts, networks, log } = options;
  const services = () => follower.current.services ?? {};
  const answer = (known: boolean, { tag: theirs, speaks }: SyncRequest): SyncAnswer => {
    const { tag, current } = follower;
    const head = { known, tag, now: Date.now() };
    return tag === theirs ? head : { ...head, snapshot: inItsWords(current, speaks) };
  };

  return async (body, caller) => {
    checkSync(body);
    const { tag, waitMs, speaks, register, beat, leave } = body;
    if (!follower.loaded)
      throw libraryProblem('unavailable', { detail: 'this monolith is starting', retryAfter: 1 });
    if (leave) {
      await owned(store.registry.leave(leave, caller.caller));
      return answer(false, body);
    }
    if (register) await admit({ ...(register as unknown as Registration), speaks }, beat, caller);
    else if (beat && !(await owned(isKnown(beat, speaks, caller)))) return answer(false, body);
    // A host that is ahead of this monolith followed another one: look before telling it anything older.
    if ((beat?.appliedVersion ?? 0) > follower.current.version) await follower.refresh();
    await until(follower, () => follower.tag !== tag, waitMs);
    return answer(true, body);
  };

  async function admit(said: Registration, beat: SyncRequest['beat'], who: InternalCaller): Promise<void> {
    admitRegistration(said, who, services(), networks);
    const { breaking, differences } = judge(said, contracts);
    if (breaking) throw await keepOut(said, breaking, options);
    const host = { ...said, url: new URL(said.url).origin, process: said.process ?? elsewhere(said) };
    const report = reportOf(beat ?? { ready: false, draining: false, inflight: {}, busy: {} });
    try {
      await owned(
        store.registry.register(
          { ...host, differences, kid: who.kid ?? null },
          ownCounts(report, who, services()),
        ),
      );
      await forgetKeptOut(store.sql, said);
    } catch (error) {
      throw refusalOf(error);
    }
    const { id, url, release } = host;
    log.info({ id, url, release, pid: host.process.pid, caller: who.caller }, 'an instance registered');
    await follower.refresh();
    const unknown = wordsUnknownTo(said, follower.current);
    if (unknown.length > 0)
      log.warn(
        { id, modules: unknown },
        'an instance of the version before does not know where these modules are placed: what it calls of them goes to the monolith',
      );
  }

  /** While the store is down nobody is forgotten: the host keeps what it has. */
  async function isKnown(
    beat: NonNullable<SyncRequest['beat']>,
    speaks: SyncRequest['speaks'],
    who: InternalCaller,
  ): Promise<boolean> {
    try {
      const { host, appliedVersion } = beat;
      const report = ownCounts(reportOf(beat), who, services());
      const heartbeat = { host, appliedVersion, speaks, ...report };
      return (await store.registry.beat(heartbeat, who.caller)) !== undefined;
    } catch (error) {
      if (!(error instanceof StoreUnavailable)) throw error;
      log.debug({ error: error.message }, 'a heartbeat could not be stored');
      return true;
    }
  }
}

/** What a host is told whose registration was not taken. */
function refusalOf(error: unknown): unknown {
  if (error instanceof IdTaken)
    return libraryProblem('conflict', { detail: error.message, extra: { reason: 'id-taken' } });
  if (error instanceof TooMany)
    return libraryProblem('conflict', { detail: error.message, extra: { reason: 'too-many' } });
  if (error instanceof StoreUnavailable)
    return libraryProblem('unavailable', { detail: error.message, retryAfter: 1, cause: error });
  return error;
}

/** Rejects with the 403 problem where the host is another service's. */
async function owned<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof NotYours || error instanceof KeyReplaced ? notYours(`${error.message}.`) : error;
  }
}

/** A process that is on no machine that anybody here can look at. */
function elsewhere({ host }: Registration): Registration['process'] {
  return { machine: `elsewhere/${host}`, pid: 0, started: '' };
}

/** Only the fields that were checked: a service cannot say what a gateway holds out. */
function reportOf({ ready, draining, inflight, busy, stores }: HostReport): HostReport {
  return { ready, draining, inflight, busy, ...(stores && { stores }) };
}

interface Judgement {
  /** The first module whose callers it would break, and where. */
  readonly breaking?: Breaking;
  readonly differences: (Difference & { module: string })[];
}

interface Breaking {
  readonly module: string;
  readonly differences: readonly Difference[];
}

function judge(host: Registration, contracts: SyncOptions['contracts']): Judgement {
  const compatible: (Difference & { module: string })[] = [];
  for (const module of host.modules) {
    const [ours, theirs] = [own(contracts, module), own(host.contracts, module)];
    if (!ours) throw libraryProblem('conflict', { detail: `this monolith knows no module ${module}` });
    if (!theirs) throw libraryProblem('conflict', { detail: `${host.id} sent no contract of ${module}` });
    const found = compareContracts(ours, theirs);
    if (found.breaking.length > 0)
      return { breaking: { module, differences: listed(module, found.breaking) }, differences: compatible };
    compatible.push(...found.compatible.map((difference) => ({ module, ...difference })));
  }
  return { differences: compatible };
}

/** Answers the refusal. Whoever asks for that release later is told why it is not there. */
async function keepOut(
  said: Registration,
  { module, differences }: Breaking,
  { store, log }: Pick<SyncOptions, 'store' | 'log'>,
) {
  const { id } = said;
  await noteKeptOut(store.sql, said, differences).catch((error: Error) =>
    log.warn({ id, error: error.message }, 'that an instance was kept out could not be noted'),
  );
  return libraryProblem('conflict', {
    detail:
      `the contract of ${module} in ${id} breaks what its callers rely on; ` +
      'start the monolith and its services from the same code, or make the change a compatible one',
    errors: [...differences],
    extra: { reason: 'contract-incompatible' },
  });
}

/** A service of another product differs in everything: the first differences are enough. */
const MAX_LISTED = 8;
const LONGEST_TEXT = 300;

function listed(module: string, differences: readonly Difference[]): Difference[] {
  const short = (text: string) => (text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT - 1)}…` : text);
  const first = differences
    .slice(0, MAX_LISTED)
    .map(({ path, message }) => ({ path: short(`/${module}${path}`), message: short(message) }));
  const more = differences.length - first.length;
  return more > 0 ? [...first, { path: `/${module}`, message: `and ${more} more` }] : first;
}
