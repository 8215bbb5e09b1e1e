// What this host says of itself to a monolith that asks: its version, its clock, whether its files stay, what of its telemetry arrives.
import type { About } from '../doctor/about.ts';
import { isTemporary } from '../doctor/temporary.ts';
import { SHARED } from '../placement/store-places.ts';
import { migrationNames } from '../postgres/migrations.ts';
import type { Parts } from './parts.ts';

/** Of spans and lines that did not fit (telemetry/otlp.ts). */
const DROPPED = 'banyan_otlp_dropped_total';

/** @param undelivered why the last notice from here did not arrive, if it did not. */
export function aboutThis(
  { settings, metrics, database, otlp }: Parts,
  undelivered: () => string | undefined,
): () => Promise<About> {
  const { app, modules, dataDir, strict, madeHere, internalKey } = settings;
  return async () => ({
    version: app.version,
    node: process.versions.node,
    production: !strict,
    temporary: isTemporary(dataDir),
    keeps: database.servers?.isHere(SHARED) ?? false,
    madeHere,
    legacy: internalKey !== undefined,
    schemas: Object.fromEntries(
      modules.map((module) => [module, migrationNames(app.prisma, module).at(-1) ?? null]),
    ),
    otlp: otlp ? { down: otlp.down(), dropped: await dropped(metrics) } : null,
    notices: undelivered() ?? null,
    // Last: who asks compares clocks by it.
    now: Date.now(),
  });
}

async function dropped({ registry }: Parts['metrics']): Promise<number> {
  const found = await registry.getSingleMetric(DROPPED)?.get();
  return found?.values.reduce((all, { value }) => all + value, 0) ?? 0;
}
