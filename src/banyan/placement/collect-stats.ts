// What all live hosts counted, asked of each of them at once: the gateway that decided a side knows of the request, and
// no table does. Guarantees: it ends within its time, whoever does not answer; a host that gave no answer, or one that is
// none, is named; nothing is asked while nobody looks. Who may ask is host/internal-port.ts.
import { request } from 'undici';
import { Type } from '../contract/type.ts';
import { compile } from '../contract/validation.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import { EDGES } from '../telemetry/edges.ts';
import type { Collected, HostStats } from '../telemetry/stats-sums.ts';
import { isLive } from './picture.ts';
import type { HostRow, Tables } from './tables.ts';

export const STATS_PATH = '/stats';
/** `?of=callers`: by who asked alone, a tenth of the whole; a host of the version before answers the whole. */
export const OF_CALLERS = 'callers';

/** A host of this version answers in a millisecond. */
const WITHIN_MS = 2_000;
/** Some 500 bytes for each operation and side. */
const MOST_BYTES = 4 * 1024 * 1024;

type Asked = Pick<HostRow, 'host' | 'id' | 'url' | 'kid'>;

/** Whom to ask: monoliths, gateways and services that were heard of lately. */
export function liveHosts({ hosts }: Tables): Asked[] {
  return hosts.filter(isLive);
}

export async function collectStats(
  hosts: readonly Asked[],
  tokens: Pick<InternalTokens, 'mint'>,
  withinMs = WITHIN_MS,
  of?: typeof OF_CALLERS,
): Promise<Collected> {
  const at = Date.now();
  const signal = AbortSignal.timeout(withinMs);
  const answers = await Promise.all(
    hosts.map(async (one): Promise<HostStats | Collected['silent'][number]> => {
      const { host, id } = one;
      try {
        return { host, id, ...(await ask(one, tokens, signal, of)) };
      } catch (error) {
        return { host, id, reason: signal.aborted ? `no answer within ${withinMs} ms` : inWords(error) };
      }
    }),
  );
  return {
    at,
    hosts: answers.flatMap((one) => ('modules' in one ? [one] : [])),
    silent: answers.flatMap((one) => ('modules' in one ? [] : [one])),
  };
}

const number = Type.Number({ minimum: 0 });
const count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Counted = Type.Object({
  count,
  watched: count,
  bad: count,
  slow: count,
  slowMs: number,
  seconds: number,
  buckets: Type.Array(count, { minItems: EDGES.length, maxItems: EDGES.length }),
  // A host of another version has none, or others: its buckets are enough.
  parts: Type.Optional(Type.Array(count, { maxItems: 1_000 })),
});
const Operations = Type.Record(Type.String(), Counted);
const Sides = Type.Object({ 'in-process': Type.Optional(Counted), service: Type.Optional(Counted) });
const part = Type.Object({ n: count, bad: count });
const Shadows = Type.Record(
  Type.String(),
  Type.Object({
    placedAt: Type.String({ maxLength: 40 }),
    mirrored: count,
    differed: count,
    skipped: count,
    failed: count,
    near: part,
    far: part,
    differences: Type.Record(Type.String(), Type.String()),
    operations: Type.Optional(Type.Record(Type.String(), Type.Object({ near: part, far: part }))),
    judged: Type.Optional(Type.Record(Type.String(), count)),
    skips: Type.Optional(Type.Record(Type.String(), count)),
    learning: Type.Optional(Type.Object({ pairs: count, of: count })),
    paused: Type.Optional(Type.String()),
  }),
);
const Report = Type.Object({
  since: Type.String({ format: 'date-time' }),
  now: Type.String({ format: 'date-time' }),
  edges: Type.Array(number, { minItems: EDGES.length, maxItems: EDGES.length }),
  modules: Type.Record(
    Type.String(),
    Type.Object({ 'in-process': Type.Optional(Operations), service: Type.Optional(Operations) }),
  ),
  attempts: Type.Optional(Type.Record(Type.String(), part)),
  shadows: Type.Optional(Shadows),
  callers: Type.Optional(Type.Record(Type.String(), Type.Record(Type.String(), Sides))),
  cost: Type.Optional(Type.Object({ cpuSeconds: number, memoryBytes: number })),
});
const check = compile(Report);

interface Report
  extends Pick<HostStats, 'since' | 'now' | 'modules' | 'attempts' | 'shadows' | 'callers' | 'cost'> {
  readonly edges: readonly number[];
}

async function ask(
  { url, id, kid }: Asked,
  tokens: Pick<InternalTokens, 'mint'>,
  signal: AbortSignal,
  of: typeof OF_CALLERS | undefined,
) {
  const token = await tokens.mint(audienceOf(id), kid === null);
  const { statusCode, body } = await request(`${url}${STATS_PATH}${of === undefined ? '' : `?of=${of}`}`, {
    headers: { authorization: `Bearer ${token}` },
    signal,
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(`it answered ${statusCode} to GET ${STATS_PATH}`);
  }
  let text = '';
  for await (const part of body.setEncoding('utf8')) {
    text += part;
    if (text.length > MOST_BYTES) throw new Error(`its answer is longer than ${MOST_BYTES} bytes`);
  }
  const report: unknown = JSON.parse(text);
  if (!check.fits(report)) {
    const [wrong] = check.errors(report);
    throw new Error(`what it answered is no report: ${wrong?.path} ${wrong?.message}`);
  }
  const { edges, since, now, modules, attempts, shadows, callers, cost } = report as Report;
  if (EDGES.some((edge, at) => edge !== edges[at])) throw new Error('its buckets have other edges');
  return { since, now, modules, attempts, shadows, callers, cost };
}

function inWords(error: unknown): string {
  const { message, code } = error as Error & { code?: string };
  return message || code || 'no answer';
}
