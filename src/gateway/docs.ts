// The page that shows the API, with a policy that lets nothing but its own scripts run and nobody frame it, in a server
// of its own that is made when somebody first asks for it: hardly any process is ever asked, and it would cost every start
// 250 files to load and a tenth of its time.
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';

const PREFIX = '/docs';

/** Mounts `/docs` and what is under it. */
export function mountDocs(app: FastifyInstance, document: () => object): void {
  let made: Promise<FastifyInstance> | undefined;
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    made ??= makeDocs(document());
    const { statusCode, headers, rawPayload } = await (await made).inject({
      method: request.method as 'GET',
      url: request.url,
      headers: request.headers as Record<string, string>,
    });
    if (statusCode === 404) return reply.callNotFound();
    delete headers.connection;
    return reply.code(statusCode).headers(headers).send(onlyOne(rawPayload, headers.etag));
  };
  app.get(PREFIX, answer);
  app.get(`${PREFIX}/*`, answer);
}

/** Files by their tag. A script has 1.4 MB: many that wait for slow readers must not have it once each. */
const files = new Map<string, Buffer>();

function onlyOne(bytes: Buffer, tag: string | string[] | number | undefined): Buffer {
  if (typeof tag !== 'string') return bytes;
  const known = files.get(tag);
  if (known?.equals(bytes)) return known;
  files.set(tag, bytes);
  return bytes;
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
