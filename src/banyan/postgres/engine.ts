// Prisma's schema engine as WebAssembly: the code behind `prisma migrate`, without the binary that its
// command line would download. It works on one connection, as the owner of one schema.
// Guarantees: a migration is sent whole, so what PostgreSQL can undo is undone when it fails.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type ErrorRegistry,
  type SqlQuery,
} from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { openPool } from './connections.ts';

// Node has it; the DOM's types, which would declare it, have no place here.
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: Record<string, () => void> } }>;
};

interface Bindings {
  readonly SchemaEngine: typeof SchemaEngine;
  __wbg_set_wasm(exports: unknown): void;
}

let loaded: Promise<Bindings> | undefined;

/** Compiled by hand: importing the .wasm as a module prints an ExperimentalWarning. 5 MB, 40 ms, once. */
function load(): Promise<Bindings> {
  loaded ??= (async () => {
    const name = '@prisma/schema-engine-wasm/schema_engine_bg';
    const bindings = (await import(name)) as Bindings;
    const file = createRequire(import.meta.url)
      .resolve(name)
      .replace(/\.js$/, '.wasm');
    const { instance } = await WebAssembly.instantiate(await readFile(file), {
      './schema_engine_bg.js': bindings,
    });
    // Where the engine's last words go before it dies of a bug of its own.
    Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: { set_message: reportPanic } });
    bindings.__wbg_set_wasm(instance.exports);
    instance.exports.__wbindgen_start!();
    return bindings;
  })();
  return loaded;
}

function reportPanic(message: string): void {
  process.emitWarning(`The migration engine failed: ${message}`);
}

export interface EngineOptions {
  readonly url: string;
  /** The PostgreSQL schema that holds the tables and `_prisma_migrations`. */
  readonly schema: string;
  /** The role to act as; undefined: the one that connects. */
  readonly owner?: string;
  /** An empty database of its own, in which the engine tries migrations out; needed by `diff` from migrations. */
  readonly shadowUrl?: string;
}

/** Runs `work` with an engine for one schema, and closes everything behind it. */
export async function withEngine<T>(
  options: EngineOptions,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await load();
  const adapter = new EngineAdapter(options);
  const factory = bindMigrationAwareSqlAdapterFactory(adapter);
  try {
    const engine = await SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } catch (error) {
    throw new Error(readable(error, factory.errorRegistry), { cause: error });
  } finally {
    await adapter.close();
  }
}

class EngineAdapter extends PrismaPg {
  readonly #pools: pg.Pool[];
  readonly #shadowUrl: string | undefined;

  constructor({ url, schema, owner, shadowUrl }: EngineOptions) {
    const pool = onePool(url, [
      ...(owner ? [`SET ROLE ${pg.escapeIdentifier(owner)}`] : []),
      `SET search_path = ${pg.escapeIdentifier(schema)}`,
    ]);
    super(pool, { schema });
    this.#pools = [pool];
    this.#shadowUrl = shadowUrl;
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    return corrected(await super.connect());
  }

  // Prisma's own would connect to the main database: it sets `database` beside a URL, and the URL wins.
  override async connectToShadowDb(): ReturnType<PrismaPg['connect']> {
    if (!this.#shadowUrl) throw new Error('No shadow database was given');
    const pool = onePool(this.#shadowUrl, []);
    this.#pools.push(pool);
    return corrected(await new PrismaPg(pool).connect());
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()));
  }
}

/** One connection: what is set on it holds for every statement of the engine. */
function onePool(url: string, preamble: readonly string[]): pg.Pool {
  const onConnect = async (client: pg.ClientBase) => {
    for (const statement of preamble) await client.query(statement);
  };
  return openPool({
    connectionString: url,
    max: 1,
    application_name: 'banyan/migrations',
    onConnect,
  });
}

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>;

/** Two corrections of Prisma's adapter, which nobody but this engine meets. */
function corrected(adapter: Adapter): Adapter {
  sendScriptsWhole(adapter);
  readChars(adapter);
  return adapter;
}

/**
 * Prisma's adapter cuts a script at every `;`, also inside a function's body or a comment, and sends the pieces
 * one by one. Sent whole, PostgreSQL parses it. And the script commits together with the engine's next
 * statement, which marks it as applied: whenever a host is killed, both happened or none.
 */
function sendScriptsWhole(adapter: Adapter): void {
  const pool = adapter.underlyingDriver();
  let open = false;
  adapter.executeScript = async (script) => {
    // What cannot be part of a transaction: an index that is made while writers go on.
    const apart = /\bconcurrently\b/i.test(script);
    if (!apart) await pool.query('BEGIN');
    try {
      await pool.query(script);
      open = !apart;
    } catch (error) {
      if (!apart) await pool.query('ROLLBACK');
      throw error;
    }
  };
  const thenCommit = async <T>(statement: () => Promise<T>): Promise<T> => {
    if (!open) return statement();
    open = false;
    try {
      const result = await statement();
      await pool.query('COMMIT');
      return result;
    } catch (error) {
      await pool.query('ROLLBACK');
      throw error;
    }
  };
  const executeRaw = adapter.executeRaw.bind(adapter);
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.executeRaw = (query) => thenCommit(() => executeRaw(query));
  adapter.queryRaw = (query) => thenCommit(() => queryRaw(query));
}

/**
 * Prisma's adapter refuses the catalogs' one-byte type "char" (oid 18), which the engine asks for when it compares:
 * it passes as text (25), and is then called by its own name.
 */
function readChars(adapter: Adapter): void {
  const chars = new WeakMap<object, number[]>();
  const inner = adapter as unknown as { performIO(query: SqlQuery): Promise<pg.QueryArrayResult> };
  const performIO = inner.performIO.bind(adapter);
  inner.performIO = async (query) => {
    const result = await performIO(query);
    const columns = [...result.fields.keys()].filter((at) => result.fields[at]!.dataTypeID === 18);
    for (const at of columns) result.fields[at]!.dataTypeID = 25;
    chars.set(result.rows, columns);
    return result;
  };
  const queryRaw = adapter.queryRaw.bind(adapter);
  adapter.queryRaw = async (query) => {
    const result = await queryRaw(query);
    for (const at of chars.get(result.rows) ?? []) result.columnTypes[at] = ColumnTypeEnum.Character;
    return result;
  };
}

/** The engine's message, with the database's own in the place of "External error id#3", and no Rust back trace. */
function readable(error: unknown, registry: ErrorRegistry): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\n {3}0: [\s\S]*$/, '')
    .replace(/(?:external connector error\s*)?External error id#(\d+)/g, (all, id) => {
      const inner = registry.consumeError(Number(id))?.error;
      return inner instanceof Error ? inner.message : all;
    })
    .trim();
}
