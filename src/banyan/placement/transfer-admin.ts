// The handlers of the transfers contract: they write down what is wished, and show how it goes. Who does it is transfers.ts.
import { randomUUID } from 'node:crypto';
import { doneBy } from '../context/principal.ts';
import type { Handlers } from '../contract/handlers.ts';
import { problem } from '../contract/problem.ts';
import { storeErrors } from './admin.ts';
import { unknownModule } from './scale.ts';
import type { ControlStore } from './store.ts';
import { type Transfer, transfers } from './transfer-contract.ts';
import {
  createTransferRows,
  type TransferLadder,
  type TransferRow,
  type TransferWish,
} from './transfer-rows.ts';

export interface TransferAdminOptions {
  readonly store: ControlStore;
  /** There is one to be done. */
  readonly wake: () => void;
  /** Why the module cannot climb such a ladder, before any process is started for it; undefined: it can. */
  readonly noLadder?: (module: string, ladder: TransferLadder) => Promise<string | undefined>;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export function transferHandlers({
  store,
  wake,
  noLadder,
}: TransferAdminOptions): Handlers<typeof transfers> {
  const rows = createTransferRows(store.sql);
  return {
    list: async () => storeErrors(async () => ({ items: (await rows.list()).map(shownOf) })),

    start: async ({ module, to, changedBy, timeoutMs, ...how }, call) =>
      storeErrors(async () => {
        const tables = await store.read();
        if (!tables.placements.some((row) => row.module === module))
          throw problem(transfers, 'module-unknown', { detail: unknownModule(module, tables) });
        const complaint =
          complaintOf({ to, ...how }) ??
          (to === 'ladder' ? await noLadder?.(module, how.ladder ?? {}) : undefined);
        if (complaint !== undefined) throw problem(transfers, 'wish-invalid', { detail: complaint });
        const row = await rows.begin({
          module,
          id: randomUUID(),
          wish: { to, ...how, timeoutMs: timeoutMs ?? DEFAULT_TIMEOUT_MS },
          step: to === 'in-process' ? 'flipping' : 'starting',
          startedBy: doneBy(call.principal),
          remark: changedBy ?? null,
        });
        if (!row)
          throw problem(transfers, 'transfer-running', {
            detail:
              runningWords((await rows.list()).find((one) => one.module === module)) ??
              `${module} is on its way already.`,
          });
        call.change = { after: { to, ...(how.percent !== undefined && { percent: how.percent }) } };
        wake();
        return shownOf(row);
      }),
  };
}

/** What is wished beside the way that does not go with it. */
function complaintOf({ to, percent, mirror, ladder, guard, instances }: Omit<TransferWish, 'timeoutMs'>) {
  const not = (given: unknown, name: string, goesWith: TransferWish['to']) =>
    given !== undefined && to !== goesWith ? `${name} goes with ${goesWith}. Leave it out.` : undefined;
  return (
    not(percent, 'percent', 'service') ??
    not(guard || undefined, 'guard', 'service') ??
    not(mirror, 'mirror', 'shadow') ??
    not(ladder, 'ladder', 'ladder') ??
    (to === 'in-process' && instances !== undefined
      ? 'In-process all of its processes are stopped. Leave instances out.'
      : undefined)
  );
}

/** Who moves it where, and how far it is: what whoever came second wants to know. */
function runningWords(row: TransferRow | undefined): string | undefined {
  if (!row) return undefined;
  const { module, startedBy, startedAt, step, to } = shownOf(row);
  return `${module} is on its way already, ${to === 'in-process' ? 'back in-process' : `to ${WHERE[to]}`}: ${startedBy} began it at ${startedAt}, it is ${step}.`;
}

const WHERE = { service: 'its service', shadow: 'a shadow', ladder: 'a ladder' } as const;

function shownOf(row: TransferRow): Transfer {
  const { module, id, wish, step, reason, startedBy, remark, startedAt, changedAt } = row;
  return {
    module,
    id,
    to: wish.to,
    ...(wish.percent !== undefined && { percent: wish.percent }),
    step,
    reason,
    startedBy: remark === null ? startedBy : `${startedBy} (${remark})`,
    startedAt,
    changedAt,
  };
}
