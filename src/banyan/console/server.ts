// The console's own server, which listens nowhere: the host's public port hands requests to it. What holds of that port
// (limits, hygiene, where /admin is) has been looked at there; errors, bodies and headers are as on every port.
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { jsonBodies } from '../http/body.ts';
import { answerWithProblems } from '../http/problems.ts';
import { noteRefusals } from '../http/refusals.ts';
import { setSecurityHeaders } from '../http/security-headers.ts';
import { traceRequests } from '../http/traced.ts';
import { noteRoutes } from '../http/unrouted.ts';
import type { ConsoleParts } from './parts.ts';

const BODY_LIMIT = 64 * 1024;

export function createConsoleServer({ log, proxies, security }: ConsoleParts): FastifyInstance {
  const app = fastify({
    ...(proxies ? { trustProxy: (address: string) => proxies.has(address) } : {}),
    loggerInstance: log as FastifyBaseLogger,
    childLoggerFactory: (logger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT,
    return503OnClosing: false,
    genReqId: () => '',
  });
  jsonBodies(app);
  traceRequests(app);
  answerWithProblems(app);
  noteRoutes(app, () => []);
  app.addHook('onRequest', (request, reply, done) => {
    setSecurityHeaders(request, reply, proxies !== undefined);
    done();
  });
  noteRefusals(app, security);
  return app;
}
