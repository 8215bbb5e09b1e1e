// An OpenTelemetry collector for tests: takes OTLP/HTTP JSON and keeps spans, log records and the latest of each metric. Trees of
// spans can be compared.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** OTLP: 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  /** The host that made it. */
  readonly host: string;
  readonly startNano: bigint;
  readonly endNano: bigint;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface LogRecord {
  /** The host that said it. */
  readonly host: string;
  readonly body: string;
  readonly severity: string;
  /** Undefined: it was said in no trace. */
  readonly traceId: string | undefined;
  readonly spanId: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>;
  /** Of a counter or gauge; of a histogram how many were counted. */
  readonly value: number;
}

interface Attribute {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly kind: number;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes?: readonly Attribute[];
      }[];
    }[];
  }[];
}

interface ExportedLogs {
  readonly resourceLogs: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeLogs: readonly {
      readonly logRecords: readonly {
        readonly body: { readonly stringValue: string };
        readonly severityText: string;
        readonly traceId?: string;
        readonly spanId?: string;
        readonly attributes?: readonly Attribute[];
      }[];
    }[];
  }[];
}

interface ExportedPoint {
  readonly attributes: readonly Attribute[];
  readonly asDouble?: number;
  readonly asInt?: number | string;
  readonly count?: number | string;
}

interface ExportedMetrics {
  readonly resourceMetrics: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly [kind: string]: unknown;
      }[];
    }[];
  }[];
}

const plain = (attributes: readonly Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export class Collector {
  readonly #server: Server;
  readonly spans: Span[] = [];
  readonly logs: LogRecord[] = [];
  /** By host and name, as they were last told. */
  readonly metrics = new Map<string, Point[]>();
  /** By host, what it says of itself. */
  readonly resources = new Map<string, Readonly<Record<string, unknown>>>();
  requests = 0;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      this.requests += 1;
      const told = JSON.parse(Buffer.concat(parts).toString());
      if (request.url === '/v1/traces') this.#take(told as Exported);
      if (request.url === '/v1/logs') this.#takeLogs(told as ExportedLogs);
      if (request.url === '/v1/metrics') this.#takeMetrics(told as ExportedMetrics);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  of(traceId: string): Span[] {
    return this.spans.filter((span) => span.traceId === traceId);
  }

  /** What that host last said under that name; none: it never did. */
  points(host: string, name: string): readonly Point[] {
    return this.metrics.get(`${host} ${name}`) ?? [];
  }

  #hostOf({ attributes }: { readonly attributes: readonly Attribute[] }): string {
    const resource = plain(attributes);
    const host = String(resource['service.instance.id']);
    this.resources.set(host, resource);
    return host;
  }

  #takeLogs({ resourceLogs }: ExportedLogs): void {
    for (const { resource, scopeLogs } of resourceLogs) {
      const host = this.#hostOf(resource);
      for (const one of scopeLogs.flatMap(({ logRecords }) => logRecords))
        this.logs.push({
          host,
          body: one.body.stringValue,
          severity: one.severityText,
          traceId: one.traceId || undefined,
          spanId: one.spanId || undefined,
          attributes: plain(one.attributes),
        });
    }
  }

  #takeMetrics({ resourceMetrics }: ExportedMetrics): void {
    for (const { resource, scopeMetrics } of resourceMetrics) {
      const host = this.#hostOf(resource);
      for (const { name, ...metric } of scopeMetrics.flatMap(({ metrics }) => metrics)) {
        const { dataPoints } = (metric.sum ?? metric.gauge ?? metric.histogram) as {
          readonly dataPoints: readonly ExportedPoint[];
        };
        const points = dataPoints.map(({ attributes, asDouble, asInt, count }) => ({
          attributes: plain(attributes),
          value: Number(asDouble ?? asInt ?? count),
        }));
        this.metrics.set(`${host} ${name}`, points);
      }
    }
  }

  #take({ resourceSpans }: Exported): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const host = this.#hostOf(resource);
      for (const span of scopeSpans.flatMap(({ spans }) => spans)) {
        this.spans.push({
          traceId: span.traceId,
          spanId: span.spanId,
          parentSpanId: span.parentSpanId ?? '',
          name: span.name,
          kind: span.kind,
          host,
          startNano: BigInt(span.startTimeUnixNano),
          endNano: BigInt(span.endTimeUnixNano),
          attributes: plain(span.attributes),
        });
      }
    }
  }
}

/** The trace as an indented picture, children in the order of their names: what two placements are compared by. */
export function picture(spans: readonly Span[], show: (span: Span) => string): string[] {
  const lines: string[] = [];
  const draw = (parent: string, depth: number) => {
    const children = spans.filter((span) => span.parentSpanId === parent);
    for (const span of children.sort((a, b) => (show(a) < show(b) ? -1 : 1))) {
      lines.push(`${'  '.repeat(depth)}${show(span)}`);
      draw(span.spanId, depth + 1);
    }
  };
  const known = new Set(spans.map((span) => span.spanId));
  for (const parent of new Set(spans.map((span) => span.parentSpanId)))
    if (!known.has(parent)) draw(parent, 0);
  return lines;
}
