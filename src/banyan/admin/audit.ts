// The handlers of the audit's contract. Each source gives the newest of its rows behind the cursor, and the lists are merged
// by time. Guarantees: no row is shown twice or left out over pages, since rows of the past neither change nor come later; a
// store that does not answer is named, and all others are shown.
import { setTimeout as after } from 'node:timers/promises';
import type { Handlers } from '../contract/handlers.ts';
import { type Cursors, pageOf } from '../contract/paging.ts';
import { storeErrors } from '../placement/admin.ts';
import { readSql } from '../postgres/sql-file.ts';
import type { Sql } from '../store/store.ts';
import { type AuditEntry, type AuditSource, audit } from './audit-contract.ts';

export interface AuditedModule {
  readonly name: string;
  readonly pool: { query(text: string, values: unknown[]): Promise<{ rows: unknown[] }> };
}

export interface AuditOptions {
  /** Of the control schema. */
  readonly sql: Sql;
  readonly modules: readonly AuditedModule[];
  /** Modules whose stores this host does not have. */
  readonly elsewhere: readonly string[];
}

/** What modules' own schemas have; all else has the control schema. */
const OF_MODULES: readonly AuditSource[] = ['event', 'saga'];

const OF_CONTROL = readSql(import.meta.url, 'audit-control.sql');
const OF_MODULE = readSql(import.meta.url, 'audit-module.sql');

export function auditHandlers({ sql, modules, elsewhere }: AuditOptions): Handlers<typeof audit> {
  return {
    list: async ({ actor, module, source, from, to, ...query }) =>
      storeErrors(async () => {
        const isAsked = (name: string) =>
          (module === undefined || name === module) && (source === undefined || OF_MODULES.includes(source));
        const silent = new Set<string>(elsewhere.filter(isAsked));
        const find = async (before: string | undefined, limit: number): Promise<AuditEntry[]> => {
          const [at, id] = before === undefined ? [null, null] : positionOf(before);
          const values = [
            at,
            id,
            module ?? null,
            actor ?? null,
            from ?? null,
            to ?? null,
            limit,
            source ?? null,
          ];
          const asked = modules.filter(({ name }) => isAsked(name));
          const lists = await Promise.all([
            sql.query<AuditEntry>(OF_CONTROL, values).then(({ rows }) => rows),
            ...asked.map(async ({ name, pool }) => {
              try {
                const answered = pool.query(OF_MODULE, values.with(2, name));
                const { rows } = await Promise.race([answered, late(answered)]);
                return rows as AuditEntry[];
              } catch {
                silent.add(name);
                return [];
              }
            }),
          ]);
          return lists.flat().sort(newestFirst).slice(0, limit).map(asItem);
        };
        const { items, nextCursor } = await pageOf(audit, query, find, cursors);
        return {
          items: items.map((one) => ({ ...one, id: one.id.slice(one.id.indexOf('~') + 1) })),
          nextCursor,
          silent: [...silent],
        };
      }),
  };
}

/** A store that is moved just now, or gone, holds up nobody who looks at the others. */
const WITHIN_MS = 3_000;

async function late(answer: Promise<unknown>): Promise<never> {
  answer.catch(() => {});
  await after(WITHIN_MS, undefined, { ref: false });
  throw new Error('no answer');
}

/** As the database orders them. Ids are plain ASCII. */
function newestFirst(a: AuditEntry, b: AuditEntry): number {
  if (a.at !== b.at) return a.at < b.at ? 1 : -1;
  return a.id < b.id ? 1 : -1;
}

/** Paging goes by time and id. */
const asItem = (row: AuditEntry): AuditEntry => ({ ...row, id: `${row.at}~${row.id}` });

const CURSOR = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z~[\x20-\x7e]{1,300}$/;

const cursors: Cursors = {
  write: (id) => Buffer.from(id).toString('base64url'),
  read(cursor) {
    const id = Buffer.from(cursor, 'base64url').toString();
    return CURSOR.test(id) && !Number.isNaN(Date.parse(`${id.slice(0, 23)}Z`)) ? id : undefined;
  },
};

function positionOf(after: string): [at: string, id: string] {
  const at = after.indexOf('~');
  return [after.slice(0, at), after.slice(at + 1)];
}
