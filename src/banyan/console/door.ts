// The console's door: its page, who may come in, and what it shows and does behind that. Loaded and opened when somebody
// first asks for it. Guarantees: the session counts here alone; what it changes goes by the same operations as /admin, with
// the rights of whoever is signed in and with the name that was given. It knows no module by name.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import { registerAdmin } from './forward.ts';
import { openLive } from './live.ts';
import { registerPages } from './pages.ts';
import type { ConsoleParts } from './parts.ts';
import { registerReportPage } from './report-page.ts';
import { createConsoleServer } from './server.ts';
import { createSessions } from './session.ts';
import { registerSignIn, requireSession } from './sign-in.ts';

/** Takes a request that the public port has looked at. */
export type ConsoleDoor = (request: IncomingMessage, response: ServerResponse) => void;

export async function openConsole(parts: ConsoleParts): Promise<ConsoleDoor> {
  const app = createConsoleServer(parts);
  const sessions = createSessions(parts);
  const live = openLive(parts, sessions);
  await registerPages(app, parts, sessions);
  await app.register(async (scope) => registerSignIn(scope, parts, sessions, live.end));
  await app.register(async (scope: FastifyInstance) => {
    requireSession(scope, sessions);
    registerAdmin(scope, parts);
    live.register(scope);
    registerReportPage(scope, parts);
    scope.all(`${parts.prefix}/api/*`, () => {
      throw libraryProblem('not-found', {
        detail: 'The console has nothing here; its page asks under /api/admin.',
      });
    });
  });
  await app.ready();
  return (request, response) => app.routing(request, response);
}
