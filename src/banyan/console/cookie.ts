// The cookie of a session. Under TLS its name makes browsers refuse it from anybody but this host (`__Host-`, which asks for
// Path=/); on plain HTTP, where only loopback should be, it goes to the console alone. No script can read it, and no other
// site can have it sent. It does not know what is in it.
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CONSOLE_COOKIE } from '../gateway/console.ts';
import { SESSION_SECONDS } from './session.ts';

const PLAIN = CONSOLE_COOKIE;
const SECURE = `__Host-${PLAIN}`;

/** Cookies know no ports: on one machine each system has a name of its own. */
function nameFor({ protocol, headers: { host = '' } }: FastifyRequest): string {
  if (protocol === 'https') return SECURE;
  const port = /:(\d+)$/.exec(host)?.[1];
  return port === undefined ? PLAIN : `${PLAIN}_${port}`;
}

export function cookieOf(request: FastifyRequest): string | undefined {
  const name = nameFor(request);
  for (const part of request.headers.cookie?.split(';') ?? []) {
    const [key, value] = part.trim().split('=', 2);
    if (key === name) return value;
  }
  return undefined;
}

/** @param value undefined: the browser forgets it. */
export function setCookie(
  request: FastifyRequest,
  reply: FastifyReply,
  prefix: string,
  value: string | undefined,
): void {
  const name = nameFor(request);
  const path = name === SECURE ? '/' : prefix;
  const parts = [
    `${name}=${value ?? ''}`,
    `Path=${path}`,
    `Max-Age=${value === undefined ? 0 : SESSION_SECONDS}`,
    'HttpOnly',
    'SameSite=Strict',
    ...(name === SECURE ? ['Secure'] : []),
  ];
  reply.header('set-cookie', parts.join('; '));
}
