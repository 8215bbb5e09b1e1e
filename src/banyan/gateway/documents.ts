// What the public port says of the product to anybody: its documents, its public keys, and the pages that show them. A
// document is made into text once, however many read it. It does not know what stands in them.
import type { FastifyInstance, FastifyReply } from 'fastify';
import { mountDocs } from './docs.ts';

export interface Documents {
  readonly openapi: () => Promise<object>;
  readonly asyncapi: () => Promise<object>;
  readonly jwks: () => object;
}

/** @param home where a person who opens the bare address is led. */
export function mountDocuments(app: FastifyInstance, documents: Documents, home?: string): void {
  const sendDocument = (reply: FastifyReply, document: object) =>
    reply.header('content-type', 'application/json; charset=utf-8').send(textOf(document));
  app.get('/openapi.json', async (_request, reply) => sendDocument(reply, await documents.openapi()));
  app.get('/asyncapi.json', async (_request, reply) => sendDocument(reply, await documents.asyncapi()));
  app.get('/.well-known/jwks.json', async (_request, reply) => reply.send(documents.jwks()));
  app.get('/', async (request, reply) =>
    reply
      .header('vary', 'accept')
      .redirect(home !== undefined && request.headers.accept?.includes('text/html') ? home : '/docs'),
  );
  mountDocs(app, documents.openapi);
}

/** Documents of 100 kB and more, made once: also where many readers take their time. */
const texts = new WeakMap<object, Buffer>();

function textOf(document: object): Buffer {
  let text = texts.get(document);
  if (!text) {
    text = Buffer.from(JSON.stringify(document));
    texts.set(document, text);
  }
  return text;
}
