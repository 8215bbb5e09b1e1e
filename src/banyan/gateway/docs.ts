// The page that shows the API, with a policy that lets nothing but its own scripts run and nobody frame it, in a server
// of its own that is made when somebody first asks for it: hardly any process is ever asked, and it would cost every start
// 250 files to load and a tenth of its time.
import type { OutgoingHttpHeaders } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

const PREFIX = '/docs';

/** One file of the page, as everybody gets it. */
interface Page {
  readonly headers: OutgoingHttpHeaders;
  readonly bytes: Buffer;
}

/**
 * Mounts `/docs` and what is under it. Each file is read once and kept: a script has 1.4 MB, and many that are asked for
 * at once, or wait for slow readers, must not have it once each.
 */
export function mountDocs(app: FastifyInstance, document: () => Promise<object>): void {
  let made: Promise<FastifyInstance> | undefined;
  const pages = new Map<string, Promise<Page | undefined>>();
  const read = async (url: string): Promise<Page | undefined> => {
    made ??= document().then(makeDocs);
    const { statusCode, headers, rawPayload } = await (await made).inject({ method: 'GET', url });
    if (statusCode !== 200) return undefined;
    const { connection: _, ...said } = headers;
    return { headers: said, bytes: rawPayload };
  };
  const pageOf = (url: string): Promise<Page | undefined> => {
    let page = pages.get(url);
    if (!page) {
      page = read(url);
      pages.set(url, page);
      // What is no file may have any name.
      const forget = () => pages.delete(url);
      page.then((found) => found ?? forget(), forget);
    }
    return page;
  };
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const page = await pageOf(request.url.split('?', 1)[0]!);
    if (!page) return reply.callNotFound();
    const { headers, bytes } = page;
    const { etag } = headers;
    if (etag !== undefined && request.headers['if-none-match'] === etag)
      return reply.code(304).header('etag', etag).send();
    return reply.headers(headers).send(bytes);
  };
  app.get(PREFIX, answer);
  app.get(`${PREFIX}/*`, answer);
}

async function makeDocs(document: object): Promise<FastifyInstance> {
  const [swagger, swaggerUi, helmet] = await Promise.all([
    import('@fastify/swagger'),
    import('@fastify/swagger-ui'),
    import('@fastify/helmet'),
  ]);
  const app = fastify();
  await app.register(swagger.default, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi.default, {
    routePrefix: PREFIX,
    uiConfig: { docExpansion: 'list', deepLinking: true },
  });
  await app.register(helmet.default, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'", ...app.swaggerCSP.script],
        // The page sets styles of its elements; they run nothing.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    // The gateway says it, which knows whether the client came by TLS.
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  });
  return app;
}
