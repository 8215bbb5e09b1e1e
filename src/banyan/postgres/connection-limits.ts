// How many connections each role may have. All limits together stay below what the server takes, so that no role, whoever
// has its password, can keep the others out. Every role gets what the hosts that are there need, and an equal part of what
// is left. Where the server has not that many, each still gets what it needs, and it is said how many are missing.
// What is only claimed is met after what is needed, as far as there is room, and is never missing: who claims much takes
// nothing from others. It must not know which hosts there are.
import pg from 'pg';
import { readRoles } from './role-changes.ts';
import { readServer } from './server-check.ts';

/** Of roles: how many connections their pools and sessions open at most, all hosts together. */
export type ConnectionNeeds = Readonly<Record<string, number>>;

/** Kept for the administrator: a start, a look, a person. */
const KEPT = 8;

/** @param total what the server takes. @param claims beside the needs, of some of their roles. */
export function connectionLimits(
  needs: ConnectionNeeds,
  total: number,
  claims: ConnectionNeeds = {},
): Record<string, number> {
  const roles = Object.entries(needs);
  const left = Math.max(0, total - KEPT - sum(needs));
  const met = Math.min(1, left / Math.max(1, sum(claims)));
  const granted = (role: string) => Math.floor((claims[role] ?? 0) * met);
  const rest = left - roles.reduce((all, [role]) => all + granted(role), 0);
  const more = Math.floor(rest / roles.length);
  return Object.fromEntries(roles.map(([role, needed]) => [role, needed + granted(role) + more]));
}

/** How many connections the server has too few; 0: it has enough. */
export function shortOf(needs: ConnectionNeeds, total: number): number {
  return Math.max(0, sum(needs) + KEPT - total);
}

function sum(needs: ConnectionNeeds): number {
  return Object.values(needs).reduce((all, one) => all + one, 0);
}

/** Sets the limits that are others. Answers how many connections the server has too few. */
export async function limitConnections(
  client: pg.Client,
  needs: ConnectionNeeds,
  claims: ConnectionNeeds = {},
): Promise<number> {
  const { connections, superuser } = await readServer(client);
  const wanted = connectionLimits(needs, connections, claims);
  for (const { role, connectionLimit } of await readRoles(client, Object.keys(needs), superuser))
    if (connectionLimit !== wanted[role])
      await client.query(`ALTER ROLE ${pg.escapeIdentifier(role)} CONNECTION LIMIT ${wanted[role]}`);
  return shortOf(needs, connections);
}
