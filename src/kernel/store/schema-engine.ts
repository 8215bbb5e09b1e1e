// Prisma's own schema engine, as WebAssembly: the CLI would download a binary. It writes the same
// _prisma_migrations table as the CLI does. Loaded only when there is something to migrate (3 MB of wasm).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';

type EngineModule = typeof import('@prisma/schema-engine-wasm') & { __wbg_set_wasm(exports: unknown): void };

// Node has it; the DOM's types, which would declare it, have no place here.
declare const WebAssembly: {
  instantiate(
    bytes: Uint8Array,
    imports: Record<string, unknown>,
  ): Promise<{ instance: { exports: Record<string, () => void> } }>;
};

let loading: Promise<EngineModule> | undefined;

async function load(): Promise<EngineModule> {
  const name = '@prisma/schema-engine-wasm/schema_engine_bg';
  const engine = (await import(name)) as EngineModule;
  // Instantiated by hand: importing the .wasm would print Node's warning about an experiment.
  const bytes = readFileSync(
    createRequire(import.meta.url)
      .resolve(name)
      .replace(/\.js$/, '.wasm'),
  );
  const { instance } = await WebAssembly.instantiate(bytes, {
    './schema_engine_bg.js': engine,
  });
  engine.__wbg_set_wasm(instance.exports);
  instance.exports.__wbindgen_start!();
  return engine;
}

/** Opens the engine on a connection; `close` it when done. */
export async function openSchemaEngine(
  connectionString: string,
  schema: string,
): Promise<{ engine: SchemaEngine; close(): Promise<void> }> {
  loading ??= load();
  const { SchemaEngine } = await loading;
  const factory = bindMigrationAwareSqlAdapterFactory(new PrismaPg({ connectionString, max: 1 }, { schema }));
  const engine = await SchemaEngine.new({ datamodels: undefined }, () => undefined, factory);
  return {
    engine,
    async close() {
      engine.free();
    },
  };
}
