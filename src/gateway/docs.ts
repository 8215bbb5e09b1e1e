// The page that shows the API, in a server of its own that is made when somebody first asks for it: hardly any
// process is ever asked, and it would cost every start 250 files to load and a tenth of its time.
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
    return reply.code(statusCode).headers(headers).send(rawPayload);
  };
  app.get(PREFIX, answer);
  app.get(`${PREFIX}/*`, answer);
}

async function makeDocs(document: object): Promise<FastifyInstance> {
  const [swagger, swaggerUi] = await Promise.all([import('@fastify/swagger'), import('@fastify/swagger-ui')]);
  const app = fastify();
  await app.register(swagger.default, { mode: 'static', specification: { document: document as never } });
  await app.register(swaggerUi.default, {
    routePrefix: PREFIX,
    uiConfig: { docExpansion: 'list', deepLinking: true },
  });
  return app;
}
