// Whether a change was asked by the console's own page: a page of another site may send a request along with the cookie in
// some browsers, and cannot set this header, nor say that it is of this origin. It knows no session.
import type { FastifyRequest } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';

export const CONSOLE_HEADER = 'x-banyan-console';

/** Throws the 403 problem of a change that does not come of the page. */
export function requireOwnPage({ method, headers }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD') return;
  if (headers[CONSOLE_HEADER] !== '1' || !isSameOrigin(headers))
    throw libraryProblem('forbidden', {
      detail: `A change by the console comes from its own page: of the same origin, with ${CONSOLE_HEADER}: 1. Scripts use /admin with a bearer token.`,
    });
}

/** Browsers say it; where one does not, the origin is the host that it asked. */
function isSameOrigin(headers: FastifyRequest['headers']): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (origin === undefined || host === undefined) return false;
  return URL.parse(origin)?.host === host;
}
