// An OpenTelemetry collector for tests: takes OTLP/HTTP JSON and keeps the spans. Trees of them can be compared.
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

const plain = (attributes: readonly Attribute[] = []) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

export class Collector {
  readonly #server: Server;
  readonly spans: Span[] = [];
  requests = 0;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      this.requests += 1;
      if (request.url === '/v1/traces') this.#take(JSON.parse(Buffer.concat(parts).toString()) as Exported);
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

  #take({ resourceSpans }: Exported): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const host = String(plain(resource.attributes)['service.instance.id']);
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
