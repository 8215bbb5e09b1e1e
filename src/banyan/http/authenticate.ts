// Credentials of a client, checked once per request before any handler: whoever sends some must send valid
// ones, on every route alike, or the near and the far side of a module would answer differently.
import type { FastifyInstance } from 'fastify';
import { anonymous, type Principal } from '../context/principal.ts';
import { libraryProblem } from '../contract/problem.ts';

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
    /** It sent credentials, and they are nobody's. */
    tokenRefused?: true;
  }
}

/**
 * Who holds this bearer token; throws the 401 problem. Synchronous for a token that was verified before.
 * The client's address, where there is one, is what wrong tokens are counted by.
 */
export type VerifyBearer = (token: string, address?: string) => Principal | Promise<Principal>;

/** The token of an Authorization header; undefined when it is not of that form. */
export function bearerIn(header: string): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]+)$/i.exec(header)?.[1];
}

export function authenticateRequests(app: FastifyInstance, verify: VerifyBearer): void {
  app.decorateRequest('principal', null as never);
  app.addHook('onRequest', (request, _reply, done) => {
    const header = request.headers.authorization;
    if (header === undefined) {
      request.principal = anonymous;
      done();
      return;
    }
    const refuse = (error: Error) => {
      request.tokenRefused = true;
      done(error);
    };
    const token = bearerIn(header);
    if (!token) {
      refuse(
        libraryProblem('unauthenticated', {
          detail: 'The Authorization header is not of the form: Bearer <token>.',
        }),
      );
      return;
    }
    const settle = (principal: Principal) => {
      request.principal = principal;
      done();
    };
    try {
      const principal = verify(token, request.ip);
      if (principal instanceof Promise) principal.then(settle, refuse);
      else settle(principal);
    } catch (error) {
      refuse(error as Error);
    }
  });
}
