// Signing in and out, and what every route behind it asks: who is it, and may this request be. Guarantees: a wrong token is
// counted as a wrong bearer token is, by the same limit; the security log has who signed in, as whom, and out; no token is in
// a log line or an answer. It knows no page.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { actorOf } from '../calls/acts.ts';
import type { Operator } from '../context/principal.ts';
import { closed } from '../contract/contract.ts';
import { line } from '../contract/fields.ts';
import { libraryProblem, Problem } from '../contract/problem.ts';

import { inputCheck } from '../contract/validation.ts';
import { cookieOf, setCookie } from './cookie.ts';
import type { ConsoleParts } from './parts.ts';
import { requireOwnPage } from './same-origin.ts';
import type { ConsoleSession, ConsoleSessions } from './session.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who is signed in, and whose token it is; behind the console's sign-in alone. */
    session: ConsoleSession;
    operator: Operator;
  }
}

/** Printable, and what fits a header: it stands in the history of every change. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._@'()+-]*$/u;
const Given = closed({
  name: line({ minLength: 1, maxLength: 60 }),
  token: line({ minLength: 1, maxLength: 4_096 }),
});

/** Who is signed in by this request's cookie, whatever it asks. */
export async function signedIn(
  request: FastifyRequest,
  sessions: ConsoleSessions,
): Promise<{ readonly session: ConsoleSession; readonly operator: Operator } | undefined> {
  const cookie = cookieOf(request);
  const session = cookie === undefined ? undefined : await sessions.open(cookie);
  const operator = session && sessions.operatorOf(session);
  return operator && { session: session!, operator };
}

/** The hook of every route behind the sign-in. */
export function requireSession(app: FastifyInstance, sessions: ConsoleSessions): void {
  app.decorateRequest('session', null as never);
  app.decorateRequest('operator', null as never);
  app.addHook('onRequest', async (request) => {
    const who = await signedIn(request, sessions);
    if (!who)
      throw libraryProblem('unauthenticated', {
        detail: 'Nobody is signed in here, or no more: sign in at the console.',
      });
    requireOwnPage(request);
    request.session = who.session;
    request.operator = who.operator;
    request.principal = who.operator;
  });
}

/** @param onEnd what was open by a session that was ended ends with it. */
export function registerSignIn(
  app: FastifyInstance,
  parts: ConsoleParts,
  sessions: ConsoleSessions,
  onEnd: (session: ConsoleSession) => void,
): void {
  const { prefix, security } = parts;
  const check = inputCheck(Given);
  const own = { onRequest: async (request: FastifyRequest) => requireOwnPage(request) };
  app.post(`${prefix}/api/session`, own, async (request, reply) => {
    const { name, token } = readGiven(request, check);
    const operator = await holderOf(request, parts, token);
    setCookie(request, reply, prefix, await sessions.seal(name, token));
    const actor = actorOf(operator);
    security.write({ event: 'console.signin', outcome: 'ok', actor, address: request.ip, claimed: name });
    return reply.code(201).send(shownOperator(name, operator));
  });
  app.delete(`${prefix}/api/session`, own, async (request, reply) => {
    const who = await signedIn(request, sessions);
    setCookie(request, reply, prefix, undefined);
    if (who) {
      onEnd(who.session);
      const actor = actorOf(who.operator);
      const claimed = who.session.name;
      security.write({ event: 'console.signout', outcome: 'ok', actor, address: request.ip, claimed });
    }
    return reply.code(204).send();
  });
}

/** What a page is told of who is signed in. */
export function shownOperator(name: string, { name: as, scopes }: Operator) {
  return { name, as, scopes };
}

function readGiven(
  request: FastifyRequest,
  check: (input: unknown) => void,
): { name: string; token: string } {
  check(request.body);
  const { name, token } = request.body as { name: string; token: string };
  const said = name.trim();
  if (!NAME.test(said) || [...said].some((one) => one.codePointAt(0)! > 0xff))
    throw libraryProblem('invalid', {
      detail:
        "The name stands in the history of what you change: use Latin letters, digits, spaces and . _ @ - ' ( ) +.",
      errors: [
        {
          path: '/name',
          message: "has other characters than Latin letters, digits, spaces and . _ @ - ' ( ) +",
        },
      ],
    });
  return { name: said, token: token.trim() };
}

/** Throws the 401 of a wrong token, or the 429 of too many. */
async function holderOf(
  request: FastifyRequest,
  { verifyBearer }: ConsoleParts,
  token: string,
): Promise<Operator> {
  const refused = (detail: string, cause?: unknown) => {
    request.tokenRefused = true;
    return libraryProblem('unauthenticated', { detail, cause });
  };
  const verified = async () => verifyBearer(token, request.ip);
  const principal = await verified().catch((error: unknown) => {
    if (error instanceof Problem && error.status === 401)
      throw refused(
        'This token is neither ADMIN_TOKEN nor the token of an operator. banyan operators add makes one.',
        error,
      );
    request.tokenRefused = true;
    throw error;
  });
  if (principal.kind === 'operator') return principal;
  throw refused(
    'This is the token of a session of the product. The console takes ADMIN_TOKEN, or the token of an operator.',
  );
}
