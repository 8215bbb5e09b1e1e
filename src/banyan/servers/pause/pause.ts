// The pause in which a store changes its server: hold, fence, marker, sequences, snapshots, grant, commit point. Guarantees:
// whatever fails before the commit point, and a budget that is over, leaves everything as it was, and says why; nobody
// may write at both servers at any instant; no commit of the source is missing at the target. What holds hosts and what the
// commit point is, its caller hands in; a caller that is killed on the way is followed by one that calls `recover`.
import type pg from 'pg';
import { fence, inWords, olderGone, refuseBlind, unfence } from '../pair/fence.ts';
import { mark, seen } from '../pair/marker.ts';
import { type Between, linkOf } from '../pair/moving.ts';
import { endSoon, openSession } from '../pair/sessions.ts';
import { type Ready, readySnapshots, type Snapshots } from '../pair/snapshots.ts';
import { followedTables } from '../pair/tables-of.ts';
import { knownTables } from '../pair/taking-in.ts';
import { Budget, OverBudget } from './budget.ts';
import { advanceSequences } from './sequences.ts';
import { undo } from './undo.ts';

/** So long a transaction that was open at the fence is waited for. */
const OLDER_MS = 100;
/** The hold's share of the budget: where it comes to nothing, letting go again comes on top. */
const HOLD_SHARE = 2 / 3;
/** Kept for the commit point at least. */
const COMMIT_MS = 40;

export interface PauseBy {
  /** Answers who did not hold in time. */
  hold(): Promise<readonly string[]>;
  /** Decides, in one transaction: from then on the target is the owner. */
  commit(): Promise<void>;
  /** So long the last ones like it took, in milliseconds; asked when all hold. */
  commitMs?(): number;
  /** Lets go on who was held, where they were. */
  release(): Promise<void>;
  /** Rejects where another coordinator has taken over: what this one would take back may be the other's. */
  stillOurs?(): Promise<void>;
}

export interface PauseOptions {
  readonly budgetMs?: number;
  /** All but the commit point, and then as before. */
  readonly rehearse?: boolean;
  /** Whether a session that only holds a transaction open may be ended: its host is none of those that answered. */
  readonly mayEnd?: (application: string) => boolean;
}

export interface Paused {
  readonly moved: boolean;
  /** In a rehearsal that came to its end there is none. */
  readonly why?: string;
  readonly code?: 'over-budget' | 'not-held' | 'open-transactions' | 'failed';
  /** Of taking it back, where a server did not do what it was asked; in words. */
  readonly left?: string;
  /** Milliseconds, by part; `total` is from the hold to the commit point. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Both stores within the pause, where it came so far. Whoever gets them closes them. */
  readonly snapshots?: Snapshots;
}

class Refused extends Error {
  readonly code: NonNullable<Paused['code']>;
  constructor(code: NonNullable<Paused['code']>, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Rejects where `commit` did: then only the row that it writes knows the owner, and whoever has read it calls `recover`
 * (nobody may write until then). And where the source could not be let in to for some seconds: `recover` again, too.
 */
export async function runPause(between: Between, by: PauseBy, options: PauseOptions = {}): Promise<Paused> {
  const { source, target, moving } = between;
  const purpose = `move ${moving.module}`;
  const open: pg.Client[] = [];
  let ready: Ready | undefined;
  try {
    for (const server of [source, target]) open.push(await openSession(server, purpose));
    ready = await readySnapshots(between);
    await refuseBlind(open[0]!, moving);
    await refuseUnfollowed(between, open[0]!, open[1]!);
    // Also what a first statement would have to read from the catalogues.
    await advanceSequences(open[0]!, open[1]!, moving);
  } catch (error) {
    open.forEach(endSoon);
    ready?.close();
    return { moved: false, code: 'failed', why: (error as Error).message, numbers: {} };
  }
  try {
    return await paused(between, by, options, open as [pg.Client, pg.Client], ready);
  } finally {
    open.forEach(endSoon);
  }
}

/** What is not followed would stay behind. */
async function refuseUnfollowed(
  { source, target, moving }: Between,
  here: pg.Client,
  there: pg.Client,
): Promise<void> {
  const known = await knownTables(there, linkOf(source, target, moving), 'r');
  const left = (await followedTables(here, moving)).filter(({ name }) => !known.has(name));
  if (left.length > 0)
    throw new Error(
      `${target.name} does not follow these tables of ${moving.module} yet: ${left.map(({ name }) => name).join(', ')}`,
    );
}

async function paused(
  between: Between,
  by: PauseBy,
  { budgetMs = 300, rehearse = false, mayEnd = () => false }: PauseOptions,
  sessions: readonly [pg.Client, pg.Client],
  ready: Ready,
): Promise<Paused> {
  const budget = new Budget(budgetMs);
  budget.keep(COMMIT_MS);
  let snapshots: Snapshots | undefined;
  let failed: unknown;
  try {
    await held(by, budget, budgetMs);
    snapshots = await untilCommit(between, budget, sessions, ready, mayEnd);
    if (budget.left === 0) throw new OverBudget(`no time was left of ${budgetMs} ms for the commit point`);
  } catch (error) {
    failed = error;
  }
  if (failed === undefined && !rehearse) {
    const begun = performance.now();
    await by.commit().catch((error) => {
      ready.close();
      throw error;
    });
    budget.note('commit', begun);
    return { moved: true, numbers: withTotal(budget), ...(snapshots ? { snapshots } : {}) };
  }
  if (failed !== undefined) ready.close();
  const begun = performance.now();
  // Who did not hold in time is let go at once: nothing was done to either server.
  const back = 'hold' in budget.numbers && Object.keys(budget.numbers).length === 1;
  const left = await (back ? by.release() : undo(between, sessions, by)).catch((error) => {
    ready.close();
    throw error;
  });
  budget.note('undo', begun);
  const given = { moved: false, numbers: withTotal(budget), ...(typeof left === 'string' && { left }) };
  if (failed === undefined) return { ...given, ...(snapshots ? { snapshots } : {}) };
  return { ...given, why: (failed as Error).message, code: codeOf(failed) };
}

async function held(by: PauseBy, budget: Budget, budgetMs: number): Promise<void> {
  const missing = await budget.spend('hold', () => by.hold(), budgetMs * HOLD_SHARE);
  if (missing.length > 0)
    throw new Refused('not-held', `these hosts did not hold in time: ${missing.join(', ')}`);
  budget.keep(Math.max(COMMIT_MS, by.commitMs?.() ?? 0));
}

async function untilCommit(
  { source, target, moving }: Between,
  budget: Budget,
  [here, there]: readonly [pg.Client, pg.Client],
  ready: Ready,
  mayEnd: (application: string) => boolean,
): Promise<Snapshots> {
  const since = await budget.spend('fence', () => fence(here, moving));
  const most = Math.min(OLDER_MS, budget.left);
  const older = await budget.spend('older', () => olderGone(here, moving, since, most, mayEnd));
  if (older.length > 0)
    throw new Refused(
      'open-transactions',
      `on ${source.name} there were transactions that did not end within ${Math.round(most)} ms: ${inWords(older)}`,
    );
  await budget.spend('marker', async () => {
    const n = await mark(here, moving, source);
    if (!(await seen(there, moving, source, n, budget.left)))
      throw new OverBudget(`${target.name} had not caught up in time`);
  });
  await budget.spend('sequences', () => advanceSequences(here, there, moving));
  const snapshots = await budget.spend('snapshots', () => ready.take());
  await budget.spend('grant', () => unfence(there, moving));
  return snapshots;
}

function withTotal(budget: Budget): Record<string, number> {
  return { ...budget.numbers, total: Math.round(budget.taken) };
}

function codeOf(error: unknown): NonNullable<Paused['code']> {
  if (error instanceof OverBudget) return 'over-budget';
  return error instanceof Refused ? error.code : 'failed';
}
