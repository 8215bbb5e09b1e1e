// The database roles of a monolith's modules while it runs: those that changed themselves are set again, and each may
// have as many connections as the hosts that are there need, before one more host is started. A look every half minute; one
// that the server does not answer is no matter, the next one is.
import type pg from 'pg';
import type { Logger } from 'pino';
import { LOG_ROLE } from '../log/postgres-schema.ts';
import { countHosts, type HostCounts } from '../placement/host-counts.ts';
import { type ConnectionNeeds, limitConnections } from '../postgres/connection-limits.ts';
import { POOL_SIZE } from '../postgres/connections.ts';
import { hold } from '../postgres/library-lock.ts';
import { type ProvisionOptions, rolesOf } from '../postgres/provision.ts';
import { openRoleSession, restoreRoles } from '../postgres/role-keeping.ts';
import { runtimeRole } from '../postgres/roles.ts';
import { atSameInstant } from '../postgres/same-instant.ts';
import type { Undo } from './undo.ts';

export interface RoleUpkeep {
  /** Called once the database is ready: what this host itself needs. */
  begin(): Promise<void>;
  /** Room for so many instances of a module; answers in a sentence what keeps them from having it. */
  makeRoom(module: string, instances: number): Promise<string | undefined>;
  look(): Promise<void>;
  /** How many connections these hosts may open, by role. */
  needs(counts: HostCounts): ConnectionNeeds;
}

export interface UpkeepOptions extends ProvisionOptions {
  /** The roles of schemas that modules bring, by module. */
  readonly extra: ReadonlyMap<string, readonly string[]>;
  /** The other servers that stores are on, each with what was made ready there. They are their modules' alone: no limits. */
  readonly others?: () => Promise<readonly ProvisionOptions[]>;
  /** Whose ended sessions monoliths carry to control: they listen there once more. */
  readonly sessions?: string | undefined;
}

/** What one host opens as one role: its pool, what listens, a look at the start. */
const [ITS_POOL, LISTENS, LOOKS] = [POOL_SIZE, 1, 1];
const LOG_POOL = 4;
const CONTROL_POOL = 3;
const LOOK_MS = 30_000;

/** By role, of these hosts. A service speaks to the log as its module; a monolith and a gateway as the log's own role. */
export function needsOf(
  { monoliths, gateways, services }: HostCounts,
  modules: readonly string[],
  extra: UpkeepOptions['extra'],
  sessions?: string,
): ConnectionNeeds {
  const needs: Record<string, number> = {
    banyan_control: (monoliths + gateways) * (CONTROL_POOL + LISTENS + LOOKS),
    [LOG_ROLE]: (monoliths + gateways) * (LOG_POOL + LISTENS + LOOKS),
  };
  for (const module of modules) {
    const instances = services[module] ?? 0;
    const near = monoliths * (ITS_POOL + LISTENS + LOOKS + (module === sessions ? LISTENS : 0));
    needs[runtimeRole(module)] = near + instances * (ITS_POOL + LISTENS + LOG_POOL + LISTENS + LOOKS);
    for (const role of extra.get(module) ?? []) needs[role] = (monoliths + instances) * (ITS_POOL + LOOKS);
  }
  return needs;
}

/** Of services that no monolith keeps: what they would need beside, if they are what they say. */
export function claimsOf(
  { elsewhere }: HostCounts,
  modules: readonly string[],
  extra: UpkeepOptions['extra'],
): ConnectionNeeds {
  const alone = { monoliths: 0, gateways: 0, services: elsewhere, elsewhere: {} };
  return needsOf(alone, modules, extra);
}

export function createRoleUpkeep(options: UpkeepOptions): RoleUpkeep {
  const { adminUrl, session, modules, extra, sessions, log } = options;
  /** One at a time in this database; one of another database may be at the same roles. */
  const limit = (client: pg.Client, change: (counts: HostCounts) => HostCounts) =>
    atSameInstant(() => limitOnce(client, change));
  const limitOnce = async (client: pg.Client, change: (counts: HostCounts) => HostCounts) => {
    const release = await hold(client, 'roles');
    try {
      const counts = change(await countHosts(client as never));
      const claims = claimsOf(counts, modules, extra);
      return await limitConnections(client, needsOf(counts, modules, extra, sessions), claims);
    } finally {
      await release();
    }
  };
  const told = new Set<number>();
  const tellOf = (short: number) => {
    if (short === 0 || told.has(short)) return;
    told.add(short);
    log.warn(
      `The database server takes ${short} connections fewer than the hosts that are there may open: one role can keep the ` +
        `others out. Raise max_connections by at least ${short}.`,
    );
  };
  const atLeastOne = (counts: HostCounts) => ({ ...counts, monoliths: Math.max(1, counts.monoliths) });
  return {
    // Itself is not registered yet.
    begin: () =>
      withSession(adminUrl, session, async (client) =>
        tellOf(await limit(client, (counts) => ({ ...counts, monoliths: counts.monoliths + 1 }))),
      ),
    makeRoom: (module, instances) =>
      withSession(adminUrl, undefined, async (client) => {
        const short = await limit(client, (counts) => ({
          ...atLeastOne(counts),
          services: { ...counts.services, [module]: Math.max(instances, counts.services[module] ?? 0) },
        }));
        if (short === 0) return undefined;
        return (
          `The database server takes ${short} connections too few for ${instances} processes of ${module} beside the hosts ` +
          `that are there. Raise its max_connections by at least ${short}, or take another module's processes away first.`
        );
      }),
    needs: (counts) => needsOf(counts, modules, extra, sessions),
    async look() {
      await restoreRoles(rolesOf(options), options);
      for (const one of (await options.others?.()) ?? []) await restoreRoles(rolesOf(one), one);
      await withSession(adminUrl, undefined, async (client) => tellOf(await limit(client, atLeastOne)));
    },
  };
}

export function keepLooking({ look }: RoleUpkeep, log: Logger, undo: Undo): void {
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<void> = Promise.resolve();
  let ended = false;
  const next = () => {
    timer = setTimeout(() => {
      looking = look()
        .catch((error: Error) => log.debug({ err: error }, 'the database roles were not looked at'))
        .finally(() => ended || next());
    }, LOOK_MS).unref();
  };
  next();
  undo.push('database roles', () => {
    ended = true;
    clearTimeout(timer);
    return looking;
  });
}

async function withSession<T>(
  url: string,
  session: pg.Client | undefined,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  if (session) return work(session);
  const client = await openRoleSession(url);
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
