// Prisma's schema engine as WebAssembly: the code behind `prisma migrate`, without the binary that its
// command line would download. It works on one connection, as the owner of one schema.
// Guarantees: a migration is sent whole, so what PostgreSQL can undo is undone when it fails.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory, ColumnTypeEnum, type SqlDriverAdapter } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import pg from 'pg';

type Bindings = typeof import('@prisma/schema-engine-wasm/schema_engine_bg') & {
  __wbg_set_wasm(exports: unknown): void;
};

let loaded: Promise<Bindings> | undefined;

/** Compiled by hand: importing the .wasm as a module prints an ExperimentalWarning on every boot. 90 ms, once. */
function load(): Promise<Bindings> {
  loaded ??= (async () => {
    const name = '@prisma/schema-engine-wasm/schema_engine_bg';
    const bindings = (await import(name)) as Bindings;
    const file = createRequire(import.meta.url)
      .resolve(name)
      .replace(/\.js$/, '.wasm');
    const { instance } = await WebAssembly.instantiate(await readFile(file), {
      './schema_engine_bg.js': bindings as unknown as WebAssembly.ModuleImports,
    });
    bindings.__wbg_set_wasm(instance.exports);
    (instance.exports.__wbindgen_start as () => void)();
    return bindings;
  })();
  return loaded;
}

export interface EngineOptions {
  readonly url: string;
  /** The PostgreSQL schema that holds the tables and `_prisma_migrations`. */
  readonly schema: string;
  /** The role to act as; undefined: the one that connects. */
  readonly owner?: string;
}

/** Runs `work` with an engine for one schema, and closes everything behind it. */
export async function withEngine<T>(
  { url, schema, owner }: EngineOptions,
  work: (engine: SchemaEngine) => Promise<T>,
): Promise<T> {
  const { SchemaEngine } = await load();
  const pool = new pg.Pool({ connectionString: url, max: 1, application_name: 'banyan/migrations' });
  pool.on('error', () => {});
  pool.on('connect', (client) => {
    client.on('error', () => {});
    // Queued before any statement of the engine.
    if (owner) void client.query(`SET ROLE ${pg.escapeIdentifier(owner)}`).catch(() => {});
    void client.query(`SET search_path = ${pg.escapeIdentifier(schema)}`).catch(() => {});
  });
  let failure: unknown;
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(new WholeScripts(pool, { schema }));
    const engine = await SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
    try {
      return await work(engine);
    } finally {
      engine.free();
    }
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await pool.end().catch((error) => {
      if (failure === undefined) throw error;
    });
  }
}

/**
 * Prisma's adapter cuts a script at every `;`, also inside a function's body or a comment, and sends the
 * pieces one by one. Sent as it is, PostgreSQL parses it, and runs it as one transaction.
 */
class WholeScripts extends PrismaPg {
  override async connect(): ReturnType<PrismaPg['connect']> {
    return whole(await super.connect());
  }
  override async connectToShadowDb(): ReturnType<PrismaPg['connect']> {
    return whole(await super.connectToShadowDb());
  }
}

function whole<A extends SqlDriverAdapter & { underlyingDriver(): pg.Pool }>(adapter: A): A {
  adapter.executeScript = async (script) => {
    await adapter.underlyingDriver().query(script);
  };
  const { queryRaw } = adapter;
  adapter.queryRaw = async (query) => {
    const result = await queryRaw.call(adapter, query);
    result.columnTypes.forEach((type, column) => {
      if (type !== ColumnTypeEnum.Character) return;
      for (const row of result.rows) if (row[column] === '') row[column] = '\0';
    });
    return result;
  };
  return adapter;
}
