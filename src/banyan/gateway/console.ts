// Where the console is on the public port. What holds of every request (limits, hygiene, ports) is looked at before; then it
// is the console's own server that answers, which is made when somebody first asks for it: most processes are never asked,
// and the others start without a file of it. It knows nothing of what the console is.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify';

/** How the cookie of a session is called, with what may stand before and behind that. */
export const CONSOLE_COOKIE = 'banyan_console';

/** What a service is told of a request has no session of the console in it. */
export function withoutSession(cookies: string): string | undefined {
  if (!cookies.includes(CONSOLE_COOKIE)) return cookies;
  const others = cookies.split(';').filter(
    (one) =>
      !one
        .trim()
        .replace(/^__Host-/, '')
        .startsWith(CONSOLE_COOKIE),
  );
  return others.length === 0 ? undefined : others.join(';').trim();
}

export interface ConsoleMount {
  /** Such as `/console`. */
  readonly prefix: string;
  /** Opens it; what it resolves to answers requests. */
  readonly open: (
    answer: (request: IncomingMessage, response: ServerResponse) => void,
  ) => Promise<(request: IncomingMessage, response: ServerResponse) => void>;
}

export function mountConsole(app: FastifyInstance, { prefix, open }: ConsoleMount): void {
  let opened: ReturnType<ConsoleMount['open']> | undefined;
  const enter = (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction) => {
    opened ??= open((raw, response) => app.routing(raw, response));
    opened.then(
      (door) => {
        reply.hijack();
        door(request.raw, reply.raw);
      },
      (error: Error) => {
        // The next one tries again.
        opened = undefined;
        done(error);
      },
    );
  };
  const handler = () => {
    throw new Error('it was handed on');
  };
  // Before the body is read: whoever answers reads it.
  for (const [url, method] of [
    [prefix, ['GET']],
    [`${prefix}/*`, ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']],
  ] as const)
    app.route({ method: [...method], url, onRequest: enter, handler });
}
