// Stands in for Elasticsearch, as far as a writer sees it: takes documents by the bulk API and keeps them, with the data stream that
// each was meant for. And for Prometheus' receiver of OTLP, of which it counts what came.
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';

export interface Document {
  readonly stream: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a document is like is for the test to say
  readonly fields: any;
}

export class LogStore {
  readonly documents: Document[] = [];
  metrics = 0;
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const text = await bodyOf(request);
      const headers = { 'content-type': 'application/json', 'x-elastic-product': 'Elasticsearch' };
      const answer = (body: object) => response.writeHead(200, headers).end(JSON.stringify(body));
      if (request.url?.startsWith('/api/v1/otlp/v1/metrics')) {
        this.metrics += 1;
        response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
      } else if (request.url?.includes('_bulk')) answer(this.#take(text));
      else answer({ version: { number: '9.0.0', build_flavor: 'default' }, tagline: 'You Know, for Search' });
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

  /** Lines in twos: what is to be done, and the document. */
  #take(text: string): object {
    const lines = text.split('\n').filter(Boolean);
    const items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const stream = (JSON.parse(lines[at]!).create as { _index: string })._index;
      this.documents.push({ stream, fields: JSON.parse(lines[at + 1]!) });
      items.push({ create: { _index: stream, status: 201 } });
    }
    return { errors: false, items };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const body = Buffer.concat(parts);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
}
