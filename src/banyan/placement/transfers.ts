// Who does the transfers: a monolith, one step after the other, each written down before it is begun. Guarantees: a host that
// is killed leaves its transfer to another one, or to itself when it is back, at the step that was written; each step may be
// done twice; what a step refuses ends the transfer with the reason, and leaves the module where that step left it. Processes that
// it started for nothing, as what they were for was refused, are stopped again.
import type { Logger } from 'pino';
import type { Call } from '../context/call.ts';
import { newTraceparent } from '../context/trace.ts';
import type { Handlers } from '../contract/handlers.ts';
import { Problem } from '../contract/problem.ts';
import type { admin } from './admin-contract.ts';
import { instancesOf, isHealthy } from './picture.ts';
import { type ControlStore, StoreUnavailable } from './store.ts';
import {
  createTransferRows,
  LEASE_MS,
  type TransferLadder,
  type TransferRow,
  type TransferStep,
  type TransferWish,
} from './transfer-rows.ts';

export interface TransfersOptions {
  readonly store: ControlStore;
  /** This host in the registry. */
  readonly host: string;
  /** The same steps by hand. */
  readonly act: Pick<Handlers<typeof admin>, 'services' | 'place'> & {
    readonly climb: (
      wish: TransferLadder & { module: string; changedBy?: string },
      call: Call,
    ) => Promise<unknown>;
  };
  readonly log: Logger;
}

export interface Transfers {
  start(): void;
  /** There may be one to be done. */
  wake(): void;
  /** Leaves what it does to others. */
  stop(): Promise<void>;
}

/** Whether a killed host left one is asked so often. */
const LOOK_MS = 5_000;
const FIRST_LOOK_MS = 2_000;

export function createTransfers({ store, host, act, log }: TransfersOptions): Transfers {
  const rows = createTransferRows(store.sql);
  const running = new Set<Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;

  const step = async (row: TransferRow, next: TransferStep, reason: string | null = null) => {
    if (!stopped) await rows.move(row.id, host, next, reason);
  };
  const work = async (row: TransferRow): Promise<void> => {
    const renewing = setInterval(() => void rows.renew(row.id, host).catch(() => {}), LEASE_MS / 3).unref();
    try {
      await (row.wish.to === 'in-process' ? restore(row, act, step) : extract(row, act, step, store));
      await step(row, 'done');
    } catch (error) {
      // Control is away: whoever finds the row later goes on.
      if (stopped || isAway(error)) return;
      log.warn({ module: row.module, err: error }, 'a transfer failed');
      await step(row, 'failed', (error as Error).message).catch(() => {});
    } finally {
      clearInterval(renewing);
    }
  };
  const look = async () => {
    for (let row = await rows.claim(host); row && !stopped; row = await rows.claim(host)) {
      const done = work(row).finally(() => running.delete(done));
      running.add(done);
    }
  };
  const again = (ms: number) => {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => {
      look().then(
        () => again(LOOK_MS),
        () => again(LOOK_MS),
      );
    }, ms).unref();
  };
  return {
    start: () => again(FIRST_LOOK_MS),
    wake: () => again(0),
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await rows.release(host).catch(() => {});
    },
  };
}

type Act = TransfersOptions['act'];
type Step = (row: TransferRow, next: TransferStep) => Promise<void>;

async function extract(row: TransferRow, act: Act, step: Step, store: ControlStore): Promise<void> {
  const { module, wish } = row;
  const said = { module, ...changedBy(row) };
  let stopAgain: (() => Promise<unknown>) | undefined;
  if (row.step === 'starting') {
    const tables = await store.read();
    const wanted = tables.services.filter((one) => one.module === module && one.wanted).length;
    const instances = wish.instances ?? Math.max(1, wanted);
    // What serves all of the requests is ours; to be tried, a process that somebody else started is good enough.
    const isThere = wish.instances === undefined && instancesOf(tables, module).some(isHealthy);
    if (wish.to === 'service' || !isThere) {
      await act.services({ ...said, instances, timeoutMs: wish.timeoutMs }, callOf(row));
      if (instances > wanted)
        stopAgain = async () =>
          act.services({ ...said, instances: wanted, timeoutMs: wish.timeoutMs }, callOf(row));
    }
    await step(row, 'flipping');
  }
  try {
    if (wish.to === 'ladder') await act.climb({ ...said, ...wish.ladder }, callOf(row));
    else await act.place({ ...said, ...placementOf(wish) }, callOf(row));
  } catch (error) {
    // Whoever goes on with it later needs them.
    if (!isAway(error)) await stopAgain?.().catch(() => {});
    throw error;
  }
}

function placementOf({ to, percent, mirror, guard }: TransferWish) {
  if (to === 'shadow') return { placement: 'shadow' as const, ...(mirror && { mirror }) };
  const watched = guard ? { guard } : {};
  return percent === undefined
    ? { placement: 'service' as const, ...watched }
    : { placement: 'canary' as const, percent, ...watched };
}

async function restore(row: TransferRow, act: Act, step: Step): Promise<void> {
  const { module, wish } = row;
  const said = { module, ...changedBy(row) };
  if (row.step === 'flipping') {
    await act.place({ ...said, placement: 'in-process' }, callOf(row));
    await step(row, 'draining');
  }
  await act.services({ ...said, instances: 0, timeoutMs: wish.timeoutMs }, callOf(row));
}

const changedBy = ({ remark }: TransferRow) => (remark === null ? {} : { changedBy: remark });

/** In the name of who wished it, who was let do it then. */
function callOf({ startedBy }: TransferRow): Call {
  return {
    principal: { kind: 'operator', name: startedBy, scopes: ['place'] },
    deadline: Number.POSITIVE_INFINITY,
    traceparent: newTraceparent(),
  };
}

/** The control store, or what stands before it, does not answer. */
function isAway(error: unknown): boolean {
  return error instanceof StoreUnavailable || (error instanceof Problem && error.status === 503);
}
