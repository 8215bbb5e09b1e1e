// The report of a comparison as the page that it is, for a frame of the console without rights: with a policy of its own, by
// which its script runs, asks nobody for anything, and is of no origin. It knows no comparison: an operation answers it.
import type { FastifyInstance } from 'fastify';
import type { Download } from '../context/call.ts';
import { libraryProblem } from '../contract/problem.ts';
import type { ConsoleParts } from './parts.ts';

const POLICY = [
  'sandbox allow-scripts',
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
].join('; ');

const DEADLINE_MS = 10_000;

export function registerReportPage(app: FastifyInstance, { prefix, own }: ConsoleParts): void {
  const dispatcher = own.find(({ contract }) => contract.module === 'comparisons');
  app.get(`${prefix}/api/compares/:id/page`, async (request, reply) => {
    if (!dispatcher) throw libraryProblem('not-found', { detail: 'Nobody can ask for a comparison here.' });
    const { bytes } = (await dispatcher.dispatch(
      'page',
      { id: (request.params as { id: string }).id },
      {
        principal: request.operator,
        deadline: Date.now() + DEADLINE_MS,
        traceparent: request.traceparent,
      },
    )) as Download;
    return reply
      .header('content-security-policy', POLICY)
      .header('x-frame-options', 'SAMEORIGIN')
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8')
      .send(bytes);
  });
}
