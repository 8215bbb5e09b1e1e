// What a coordinator that comes later does first: the owner's server lets the module in, the other does not, whatever was under
// way. Repeatable, and bounded: a server that hangs is given up, and what it was asked does not arrive later than that. It must
// be told who the owner is: only the row of the store knows.
import type pg from 'pg';
import { markAway } from '../../postgres/away.ts';
import { fence, unfence } from '../pair/fence.ts';
import type { Moving, ServerAt } from '../pair/moving.ts';
import { withSession } from '../pair/sessions.ts';

/** So long one server may take to let us in, and so long to do it. */
const SERVER_MS = 5_000;

export interface Settled {
  /** Why the other server could not be told; it is to be told before anybody is sent there. */
  readonly unfenced?: string;
}

/** Rejects where the owner's server does not answer. @param other is no more than fenced. */
export async function recover(
  {
    owner,
    other,
    moving,
  }: {
    readonly owner: ServerAt;
    readonly other: ServerAt;
    readonly moving: Moving;
  },
  withinMs = SERVER_MS,
): Promise<Settled> {
  const purpose = `move ${moving.module}`;
  // First, so that there is no instant at which both let it in.
  const shut = async (client: pg.Client) => {
    await endOthers(client, moving);
    // Nothing of the module is there yet, or nothing any more.
    const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [moving.schema]);
    if (rowCount! === 0) return;
    await fence(client, moving);
    await markAway(client, moving, true);
  };
  const unfenced = await withSession(other, purpose, shut, withinMs).then(
    () => undefined,
    (error: Error) => error.message,
  );
  const open = async (client: pg.Client) => {
    await endOthers(client, moving);
    await unfence(client, moving);
    await markAway(client, moving, false);
  };
  await withSession(owner, purpose, open, withinMs);
  return unfenced === undefined ? {} : { unfenced };
}

/** What a person hears of a server that could not be told. */
export function leftInWords({ unfenced }: Settled, { name }: ServerAt): string | undefined {
  return unfenced === undefined
    ? undefined
    : `${name} could not be told to let the module in no more (${unfenced}). No host goes there; it is told once it answers`;
}

/** A coordinator that hangs may have a statement on its way, which must not arrive after what is done now. */
async function endOthers(client: pg.Client, { module }: Moving): Promise<void> {
  await client.query(
    `SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity
     WHERE application_name = $1 AND datname = current_database() AND pid <> pg_backend_pid() AND usename = current_user`,
    [`banyan move ${module}`],
  );
}
