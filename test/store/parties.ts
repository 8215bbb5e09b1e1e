// Who takes part in a move and may be killed in it: both servers, the monolith that coordinates, the service whose store it
// is. Each is brought back as it would be in production: servers by who looks after them, services by their supervisor,
// the monolith by whoever starts it again.
import type { StoreShop } from '../rehearse/store/stage.ts';
import { untilAnswered } from './boundary.ts';

export const parties = ['source', 'target', 'coordinator', 'service'] as const;
export type Party = (typeof parties)[number];

interface Host {
  readonly host: string;
  readonly id: string;
  readonly role: string;
  readonly pid: number;
}

/** Kills it at once. Answers what brings it back, where nobody else does. */
export async function kill(
  shop: StoreShop,
  party: Party,
  between: { readonly source: string; readonly target: string },
): Promise<() => Promise<void>> {
  if (party === 'source' || party === 'target') {
    const { pid } = shop.serverOf(between[party]);
    if (pid === undefined) throw new Error(`the ${party} is not there`);
    process.kill(pid, 'SIGKILL');
    return async () => {};
  }
  const victim = party === 'service' ? await serviceOf(shop) : await coordinatorOf(shop);
  process.kill(victim.pid, 'SIGKILL');
  const monolith = shop.monoliths.find(({ host }) => host.pid === victim.pid);
  return async () => monolith?.again();
}

export async function serviceOf({ shared }: StoreShop, module = 'orders'): Promise<Host> {
  const [found] = await untilAnswered(async () => {
    const rows = await shared.query<Host>(
      `SELECT host, id, role, pid FROM banyan_control.host WHERE role = 'service' AND live AND $1 = ANY (modules)
       ORDER BY registered_at DESC LIMIT 1`,
      [module],
    );
    if (rows.length === 0) throw new Error(`no process of ${module} is there`);
    return rows;
  });
  return found!;
}

async function coordinatorOf({ shared }: StoreShop): Promise<Host> {
  const [found] = await shared.query<Host>(
    `SELECT h.host, h.id, h.role, h.pid FROM banyan_control.store_move m JOIN banyan_control.host h ON h.host = m.coordinator
     WHERE m.open`,
  );
  if (!found) throw new Error('nobody coordinates the move');
  return found;
}
