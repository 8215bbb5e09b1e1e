// Where the time of one request goes, from real traces: both topologies started with OpenTelemetry on, a few requests of
// each kind one after the other, and of each kind the trace with the median duration. Spans come by OTLP/HTTP (JSON).
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Fixture } from './fixture.ts';
import type { Side, Span, Trace } from './format/report.ts';
import { formOf } from './load/form.ts';
import type { Planned } from './load/plan.ts';
import { record } from './workload/record.ts';

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { key: string; value: Record<string, unknown> }[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
      }[];
    }[];
  }[];
}

interface Collected {
  readonly traceId: string;
  readonly id: string;
  readonly parent: string | undefined;
  readonly name: string;
  readonly process: string;
  readonly role: string;
  readonly startMs: number;
  readonly endMs: number;
}

/** OTLP's numbers for the kind of a span. */
const ROLES = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];
/** Of each kind, the first few of which only warm the code. */
const WARM = 20;
const TRACED = 15;
/** How long events that a request set off may go on. */
const SETTLE_MS = 1500;

export async function traceBoth(fixture: Fixture): Promise<{ a: Trace[]; b: Trace[] }> {
  const { options, instances } = fixture;
  options.say('traces', 'both with tracing on');
  const collector = await startCollector();
  try {
    await fixture.restart({ otlp: collector.url });
    const asked = { a: new Map<string, string[]>(), b: new Map<string, string[]>() };
    for (const side of ['a', 'b'] as const) await ask(fixture, side, asked[side]);
    await pause(SETTLE_MS);
    // Hosts send what they still have when they stop.
    await Promise.all([instances.a.stop(), instances.b.stop()]);
    const of = (side: Side) =>
      [...asked[side]].flatMap(([kind, ids]) => medianTrace(kind, ids, collector.spans) ?? []);
    return { a: of('a'), b: of('b') };
  } finally {
    collector.stop();
  }
}

async function ask({ options, instances, stock, files }: Fixture, side: Side, asked: Map<string, string[]>) {
  const { requests } = record(options.workload, stock, {
    perSecond: 1000,
    ms: 1500,
    seed: options.seed,
    run: `traces-${side}`,
  });
  for (const kind of Object.keys(options.workload.kinds)) {
    const some = requests.filter((one) => one.kind === kind).slice(0, WARM + TRACED);
    for (const [index, one] of some.entries()) {
      options.signal.throwIfAborted();
      const traceId = randomBytes(16).toString('hex');
      await send(instances[side].url, one, traceId, files, options.signal);
      if (index >= WARM) asked.set(kind, [...(asked.get(kind) ?? []), traceId]);
    }
  }
}

async function send(
  url: string,
  one: Planned,
  traceId: string,
  files: Fixture['files'],
  signal: AbortSignal,
) {
  const form = one.upload === undefined ? undefined : formOf(one.upload, files[one.upload]!);
  const response = await fetch(new URL(one.path, url), {
    method: one.method,
    headers: {
      ...one.headers,
      ...(form && { 'content-type': form.type }),
      traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`,
    },
    body: (form?.bytes ?? one.body) as string,
    signal,
  });
  await response.arrayBuffer();
}

function medianTrace(kind: string, ids: readonly string[], spans: readonly Collected[]): Trace | undefined {
  const found = ids.flatMap((traceId) => {
    const mine = spans.filter((one) => one.traceId === traceId);
    // What the client waited for is the span whose parent is the client's own.
    const known = new Set(mine.map(({ id }) => id));
    const root = mine
      .filter(({ parent, role }) => role === 'server' && (parent === undefined || !known.has(parent)))
      .sort((a, b) => a.startMs - b.startMs)[0];
    return root ? [{ traceId, mine, root, ms: root.endMs - root.startMs }] : [];
  });
  const one = found.sort((a, b) => a.ms - b.ms)[Math.floor(found.length / 2)];
  if (!one) return undefined;
  return {
    kind,
    traceId: one.traceId,
    ms: one.ms,
    of: found.length,
    spans: ordered(one.mine, one.root),
  };
}

/** Parents before children, each in the order of its start. */
function ordered(spans: readonly Collected[], root: Collected): Span[] {
  const lines: Span[] = [];
  const add = (span: Collected, parent: string | null) => {
    lines.push({
      id: span.id,
      parent,
      name: span.name,
      process: span.process,
      role: span.role,
      startMs: span.startMs - root.startMs,
      ms: span.endMs - span.startMs,
    });
    for (const child of spans.filter((one) => one.parent === span.id).sort((a, b) => a.startMs - b.startMs))
      add(child, span.id);
  };
  add(root, null);
  return lines;
}

async function startCollector() {
  const spans: Collected[] = [];
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    if (request.url === '/v1/traces')
      spans.push(...spansOf(JSON.parse(Buffer.concat(parts).toString()) as Exported));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

function spansOf({ resourceSpans }: Exported): Collected[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const instance = resource.attributes.find(({ key }) => key === 'service.instance.id');
    const process = String(Object.values(instance?.value ?? {})[0] ?? 'unknown');
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((one) => ({
        traceId: one.traceId,
        id: one.spanId,
        parent: one.parentSpanId || undefined,
        name: one.name,
        process,
        role: ROLES[one.kind] ?? 'internal',
        startMs: msOf(one.startTimeUnixNano),
        endMs: msOf(one.endTimeUnixNano),
      })),
    );
  });
}

/** Nanoseconds since 1970 pass what a number holds exactly. */
function msOf(nano: string): number {
  const value = BigInt(nano);
  return Number(value / 1_000_000n) + Number(value % 1_000_000n) / 1e6;
}
