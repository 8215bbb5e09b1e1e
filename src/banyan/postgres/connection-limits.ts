// How many connections each role may have. All limits together stay below what the server takes, so that no role, whoever
// has its password, can keep the others out. Every role gets what the hosts that are there need, and an equal part of what
// is left. Where the server has not that many, each still gets what it needs, and it is said how many are missing.
// It must not know which hosts there are.
import pg from 'pg';
import { readRoles } from './role-changes.ts';
import { readServer } from './server-check.ts';

/** Of roles: how many connections their pools and sessions open at most, all hosts together. */
export type ConnectionNeeds = Readonly<Record<string, number>>;

/** Kept for the administrator: a start, a look, a person. */
const KEPT = 8;

/** @param total what the server takes. */
export function connectionLimits(needs: ConnectionNeeds, total: number): Record<string, number> {
  const roles = Object.entries(needs);
  const more = Math.max(0, Math.floor((total - KEPT - sum(needs)) / roles.length));
  return Object.fromEntries(roles.map(([role, needed]) => [role, needed + more]));
}

/** How many connections the server has too few; 0: it has enough. */
export function shortOf(needs: ConnectionNeeds, total: number): number {
  return Math.max(0, sum(needs) + KEPT - total);
}

function sum(needs: ConnectionNeeds): number {
  return Object.values(needs).reduce((all, one) => all + one, 0);
}

/** Sets the limits that are others. Answers how many connections the server has too few. */
export async function limitConnections(client: pg.Client, needs: ConnectionNeeds): Promise<number> {
  const { connections, superuser } = await readServer(client);
  const wanted = connectionLimits(needs, connections);
  for (const { role, connectionLimit } of await readRoles(client, Object.keys(needs), superuser))
    if (connectionLimit !== wanted[role])
      await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} CONNECTION LIMIT ${wanted[role]}`);
  return shortOf(needs, connections);
}
