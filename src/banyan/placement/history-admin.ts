// The handlers of what may be read about placements: their history page by page, and the flags as flagd has them. They
// read the control store itself, so that every monolith answers the same.
import type { Handlers } from '../contract/handlers.ts';
import { type Cursors, pageOf } from '../contract/paging.ts';
import { problem } from '../contract/problem.ts';
import { storeErrors } from './admin.ts';
import { endsIn } from './ended.ts';
import { FLAGS_SCHEMA, type Flag, type Past, placements, type StoreChange } from './history-contract.ts';
import { unknownModule } from './scale.ts';
import type { ControlStore } from './store.ts';
import type { PlacementRow } from './tables.ts';

export function historyHandlers(
  store: Pick<ControlStore, 'read' | 'flags' | 'sql'>,
  storeChanges: (query: Past) => Promise<StoreChange[]> = async () => [],
): Handlers<typeof placements> {
  return {
    history: async ({ module, ...query }) =>
      storeErrors(async () => {
        const tables = await store.read();
        if (module !== undefined && !tables.placements.some((row) => row.module === module))
          throw problem(placements, 'module-unknown', { detail: unknownModule(module, tables) });
        const find = async (after: string | undefined, limit: number) => {
          const rows = await store.flags.history({ module, limit, after: positionOf(after) });
          return rows.map(({ version, module, at, ...row }) => ({
            id: `${version}.${module}`,
            ...{ module, at, ...row },
          }));
        };
        const { items, nextCursor } = await pageOf(placements, query, find, cursors);
        const before = positionOf(query.cursor);
        const within = {
          module,
          after: nextCursor === null ? undefined : items.at(-1)?.at,
          until: before && (await store.flags.changedAt(before)),
        };
        const [stores, ended] = await Promise.all([storeChanges(within), endsIn(store.sql, within)]);
        return { items: items.map(({ id: _, ...item }) => item), nextCursor, stores, ended };
      }),

    flags: async () =>
      storeErrors(async () => {
        const { placements: rows } = await store.read();
        return {
          $schema: FLAGS_SCHEMA,
          flags: Object.fromEntries(rows.map((row) => [row.module, flagOf(row)])),
        };
      }),
  };
}

/** A change is named by its version and module. */
const CURSOR = /^([1-9]\d{0,14}|0)\.([a-z][a-z0-9-]{0,99})$/;

const cursors: Cursors = {
  write: (id) => id,
  read: (cursor) => (CURSOR.test(cursor) ? cursor : undefined),
};

function positionOf(cursor: string | undefined) {
  const [, version, module] = (cursor !== undefined && CURSOR.exec(cursor)) || [];
  return module === undefined ? undefined : { version: Number(version), module };
}

/** Without a bucketing expression flagd hashes flag key and targeting key as hosts hash module and key (routing/side.ts). */
export function flagOf({ percent }: Pick<PlacementRow, 'percent'>): Flag {
  const shared = percent > 0 && percent < 100;
  return {
    state: 'ENABLED',
    variants: { service: 'service', 'in-process': 'in-process' },
    defaultVariant: percent === 100 ? 'service' : 'in-process',
    ...(shared && {
      targeting: {
        fractional: [
          ['service', percent],
          ['in-process', 100 - percent],
        ],
      },
    }),
  };
}
