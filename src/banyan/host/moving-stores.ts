// What an operator can do with the stores of a host's product: rows, operations, and on a monolith the coordinator. What they
// need of the rest of the host is tied to it here: which servers it reaches, whom to tell, which hosts there are.
import { statfs } from 'node:fs/promises';
import type { Logger } from 'pino';
import { leaveNotice } from '../ladder/notices/notice-rows.ts';
import { SILENT_SQL } from '../placement/schema.ts';
import { ignorantOfStores, OWN, SHARED } from '../placement/store-places.ts';
import { addressOf } from '../postgres/server-address.ts';
import { storeHandlers } from '../servers/desk/admin.ts';
import type { PreflightFacts } from '../servers/preflight/preflight.ts';
import { createMechanics } from '../servers/tasks/between.ts';
import { type Coordinator, createCoordinator } from '../servers/tasks/coordinator.ts';
import { createLeftLooks } from '../servers/tasks/left-looks.ts';
import { createLeftRows } from '../servers/tasks/left-rows.ts';
import type { Between, Places, Reach } from '../servers/tasks/mechanics.ts';
import { createPairRows } from '../servers/tasks/pair-rows.ts';
import { createPairLooks } from '../servers/tasks/pairs.ts';
import { createPlaces } from '../servers/tasks/places.ts';
import { createMoveRows, type Found, type MoveRow, type MoveRows } from '../servers/tasks/rows.ts';
import type { Walk } from '../servers/tasks/steps.ts';
import type { Sql } from '../store/store.ts';
import type { Parts } from './parts.ts';
import { countMoves } from './store-metrics.ts';
import type { StoreServers } from './store-servers.ts';

export interface MovingStores {
  readonly handlers: ReturnType<typeof storeHandlers>;
  /** On a monolith alone. */
  readonly coordinator: Coordinator | undefined;
  close(): Promise<void>;
}

type Tell = (text: string, about: Readonly<Record<string, unknown>>) => void;

/** What they are for does not move: the log, and how an older version ends sessions. */
const EXEMPT = ['banyan_log.*', 'banyan_control.revoke', 'banyan_control.revoke_sessions'];

/** @param host this one in the registry. */
export function openMovingStores(parts: Parts, host: string): MovingStores {
  const { settings, control, database, metrics, log, modules } = parts;
  const store = control.store!;
  const { sql, change } = store;
  const servers = database.servers!;
  const places = createPlaces(sql, ({ name, adminUrl }) => (name === SHARED ? null : addressOf(adminUrl)));
  const rows = createMoveRows(sql);
  const pairs = createPairRows(sql);
  const lefts = createLeftRows(sql);
  const { reach, rest } = ownServers(servers, places, rows);
  const mechanics = createMechanics({
    provision: ({ target, moving }) => servers.provision(moving.module, target.name),
    facts: (between) => factsOf(between, settings.dataDir),
    mayEnd: ({ moving }) => mayEnd(parts, moving.module),
  });
  const counts = countMoves(metrics, pairs);
  const { leave, tell } = noticesOf(parts);
  const given = { self: host, rows, store: { sql, change }, places, lefts, reach, mechanics, log };
  const coordinator =
    settings.role === 'monolith'
      ? createCoordinator({
          ...given,
          lookAtPairs: createPairLooks({
            ...given,
            pairs,
            tell: leave,
            busy: async () => (await rows.open()).map(({ module }) => module),
          }),
          lookAtLeft: createLeftLooks(given),
          onEnd: (row, walk, found) => {
            counts.add(walk.state);
            const empty = walk.state === 'dropped' && row.target === OWN;
            void rest(row.module, empty).catch((error: Error) =>
              log.warn(
                { module: row.module, error: error.message },
                'a server that no store is on was not ended',
              ),
            );
            sayEnd(log, tell, row, walk, found);
          },
        })
      : undefined;
  return {
    handlers: storeHandlers({
      ...{ store, rows, pairs, lefts, places, reach },
      stays: modules.flatMap(({ contract, schemas = [] }) =>
        schemas.map(({ schema }) => ({ module: contract.module, schema })),
      ),
      tooOld: () => ignorantOfStores(sql),
      wake: () => coordinator?.wake(),
    }),
    coordinator,
    async close() {
      await coordinator?.stop();
    },
  };
}

/** Whoever sends notices looks for them every few seconds. */
function noticesOf({ settings, control, log }: Parts) {
  const leave = async (on: Sql, text: string, about: Readonly<Record<string, unknown>>) => {
    if (settings.notifyUrl !== undefined)
      await leaveNotice(on, { text, ...about, at: new Date().toISOString() });
  };
  const tell: Tell = (text, about) => {
    const lost = (error: Error) => log.warn({ error: error.message, notice: text }, 'a notice was lost');
    leave(control.store!.sql, text, about).catch(lost);
  };
  return { leave, tell };
}

/** What is reached, and the embedded servers of that: one that nobody needs ends. */
function ownServers(servers: StoreServers, places: Places, rows: MoveRows) {
  /** Since this host started. */
  const made = new Set<string>();
  const reach: Reach = {
    refusal: (module, server) => servers.refusal(module, server),
    serverAt: (module, server) => {
      if (server === OWN && !servers.isMade(module)) made.add(module);
      return servers.serverAt(module, server);
    },
    moving: (module) => servers.moving(module),
  };
  /** One that was made to be looked at, and never had a store, leaves nothing. @param empty nor does one whose store was dropped */
  const rest = async (module: string, empty: boolean) => {
    const [all, open] = await Promise.all([places.read(), rows.open()]);
    const place = all.find((one) => one.module === module);
    const needed =
      place?.server === OWN || place?.pairedWith === OWN || open.some((one) => one.module === module);
    if (needed) return;
    const nothing = made.delete(module) && (place === undefined || place.epoch === 0);
    await servers.rest(module, empty || nothing);
  };
  return { reach, rest };
}

function sayEnd(log: Logger, tell: Tell, { id, module, source, target }: MoveRow, walk: Walk, found: Found) {
  const { task, state, why, attempt } = walk;
  const about = {
    module,
    move: id,
    task,
    from: source,
    to: target,
    state,
    attempt,
    why,
    numbers: found.numbers,
  };
  const level = state === 'rolled-back' || (state === 'moved' && why !== null) ? 'warn' : 'info';
  log[level](about, `what was asked for with the store of ${module} has ended: ${state}`);
  // What stays on a server of before is tried again each day, and nobody's alarm.
  if (task === 'move' || task === 'lose' || (level === 'warn' && task !== 'drop'))
    tell(`the store of ${module}, ${source} to ${target}: ${state}${why === null ? '' : `; ${why}`}`, about);
}

/** The embedded one's files are on this machine. */
async function factsOf({ target }: Between, dataDir: string): Promise<PreflightFacts> {
  if (target.name !== OWN) return { exempt: EXEMPT };
  const room = await statfs(dataDir).catch(() => undefined);
  return { exempt: EXEMPT, ...(room && { freeBytes: room.bavail * room.bsize }) };
}

/** Sessions are called `banyan <module>@<host>`: those of live hosts are theirs to end. */
async function mayEnd({ control }: Parts, module: string): Promise<(application: string) => boolean> {
  const { rows } = await control.store!.sql.query<{ id: string }>(
    `SELECT id FROM host WHERE live AND NOT (${SILENT_SQL})`,
  );
  const live = new Set(rows.map(({ id }) => `banyan ${module}@${id}`));
  return (application) => application.startsWith(`banyan ${module}@`) && !live.has(application);
}
