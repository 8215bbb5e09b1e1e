// Open transactions as a module gets them: its statements and its events commit or roll back together. While
// one is open the flow says so, and where the host is strict a ref called in it throws and names the line.
// What loses a conflict is run again (retry.ts), so work does nothing but through its transaction; and for the same
// reason those that are likely to be of one wave may share a commit with others (shared-transactions.ts).
import { relative } from 'node:path';
import { currentFlow, type Flow, withFlow } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import { isTrial } from '../context/trial.ts';
import { Asked, closing } from './asked.ts';
import { OpenTransaction } from './open-transaction.ts';
import { withRetries } from './retry.ts';
import { SharedTransactions } from './shared-transactions.ts';
import type { InnerStore } from './store.ts';
import { inside, Manners, Turn } from './turns.ts';
import type { Done, TransactionParts, Work } from './work.ts';

export function transactions<P>(parts: TransactionParts<P>): Pick<InnerStore<P>, 'transaction' | 'alone'> {
  const manners = new Manners<string>();
  const alone = <T>(work: Work<P, T>) =>
    parts.pool.again(() =>
      withRetries((begun) => attempt(parts, begun, work, (turn) => manners.saw(work.toString(), turn))),
    );
  const shared = new SharedTransactions(parts, alone);
  const run = async <T>(work: Work<P, T>, may: (kind: string) => boolean) => {
    const where = parts.strict ? opener() : undefined;
    const inFlow: Work<P, T> = (tx) => marked(where, async () => work(tx));
    // Closures of one text are one kind of work.
    inFlow.toString = () => work.toString();
    // A trial shares a transaction with nobody.
    const { result, follows } = await (!isTrial() && may(work.toString())
      ? shared.run(inFlow, (turn) => manners.saw(work.toString(), turn))
      : alone(inFlow));
    if (isTrial()) return result;
    // It has committed: nothing that fails from here on may say otherwise.
    for (const wish of follows)
      new Promise<void>((resolve) => resolve(wish())).catch((error: unknown) => {
        parts.log?.error({ err: error }, 'what was to follow a commit failed');
      });
    return result;
  };
  return {
    transaction: (work) => run(work, (kind) => manners.areGood(kind)),
    alone: (work) => run(work, () => false),
  };
}

/** One transaction for one piece of work. */
async function attempt<P, T>(
  parts: TransactionParts<P>,
  begun: () => void,
  work: Work<P, T>,
  saw: (turn: Turn) => void,
): Promise<Done<T>> {
  const client = await parts.pool.connect();
  const open = new OpenTransaction(client);
  const asked = new Asked(parts, open);
  const turn = new Turn(false);
  let broken: Error | undefined;
  try {
    open.begin().then(begun, () => {});
    const result = await inside(open, turn, () => work(asked));
    // From here on it may have happened, also where BEGIN's own answer is lost on the way.
    begun();
    await open.commit(closing(parts, [asked]));
    return { result, follows: asked.follows() };
  } catch (error) {
    broken = await open.end();
    throw error;
  } finally {
    saw(turn);
    asked.over();
    client.release(broken);
  }
}

/** Runs the work with the mark in its flow. The mark goes when the work ends, also for what it left running. */
async function marked<T>(where: string | undefined, work: () => Promise<T>): Promise<T> {
  if (where === undefined) return work();
  let open = true;
  const flow = currentFlow() ?? { deadline: Number.POSITIVE_INFINITY, traceparent: newTraceparent() };
  // A spread would ask every getter of a call's flow now: inherit, and ask its signal of the flow itself.
  const inside: Flow = Object.create(flow, {
    signal: { get: () => flow.signal },
    transaction: { get: () => (open ? where : flow.transaction) },
  });
  try {
    return await withFlow(inside, work);
  } finally {
    open = false;
  }
}

/** File and line of the module's code that opened the transaction. */
function opener(): string {
  const frames = new Error().stack?.split('\n').slice(1) ?? [];
  const own = frames.find(
    (frame) => !/node:|\/node_modules\/|\/banyan\/store\/[a-z-]+\.ts:/.test(frame) && frame.includes('/'),
  );
  const place = /(?:file:\/\/)?(\/[^)\s]+:\d+):\d+\)?$/.exec(own ?? '')?.[1];
  return place ? relative(process.cwd(), place) : 'an unknown line';
}
