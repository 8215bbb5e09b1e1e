// A refusal on a bare socket, where no Fastify reply exists: bytes that are no HTTP, headers without end, a method that
// the parser does not know, a tunnel. The problem goes out, then the socket ends, whatever the other side does meanwhile.
import type { Duplex } from 'node:stream';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { REFUSAL_HEADER, TokenRefused } from '../identity/hop.ts';
import { latestAnswerOn } from './open-connections.ts';
import { rawSecurityHeaders } from './security-headers.ts';

// An ES import of it would read every export, and one of them loads Node's own undici: 30 ms of a start.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Sends the problem and destroys the socket. A peer that is gone already is nobody to be told. */
export function refuse(socket: Duplex, problem: Problem): void {
  socket.on('error', () => socket.destroy());
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem.body);
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'Connection: close',
    `Date: ${new Date().toUTCString()}`,
    'Content-Type: application/problem+json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...rawSecurityHeaders,
    ...(problem.status === 401 ? ['WWW-Authenticate: Bearer'] : []),
    ...(problem instanceof TokenRefused ? [`${REFUSAL_HEADER}: ${problem.reason}`] : []),
    ...(problem.retryAfter === undefined ? [] : [`Retry-After: ${Math.ceil(problem.retryAfter)}`]),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

const REFUSED = Symbol('refused');

type Noted = Duplex & { [REFUSED]?: true };

/**
 * Fastify's `clientErrorHandler`: what Node's parser could not make a request of. Answers stay in order and one for
 * each request: those under way go first, and one that is answered before its body breaks gets no second.
 */
export function refuseUnreadable(error: NodeJS.ErrnoException, socket: Noted): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || socket[REFUSED]) return;
  socket[REFUSED] = true;
  const before = latestAnswerOn(socket);
  const isOfItsBody = before?.req.complete === false;
  const settle = () => {
    if (isOfItsBody && before.headersSent) socket.end(() => socket.destroy());
    else refuse(socket, problemOf(error));
  };
  // Who is refused before their body is read hears that, also where a hook takes a turn.
  if (isOfItsBody) setImmediate(settle);
  else if (!before || before.writableFinished) settle();
  else before.once('close', settle);
}

/** CONNECT: nobody is tunnelled to anywhere. */
export function refuseTunnel(_request: unknown, socket: Duplex): void {
  refuse(socket, notImplemented);
}

/** What Node's parser adds: the packet, and where in it the parser stopped. */
interface Unreadable {
  readonly rawPacket?: Buffer;
  readonly bytesParsed?: number;
}

const notImplemented = libraryProblem('not-implemented', {
  detail: 'No path here takes this method. Methods are written in capitals.',
});

/** A request line with a method of whatever name; bytes that are no HTTP at all have none. */
const REQUEST_LINE = /^[\w!#$%&'*+.^`|~-]+ \S+ HTTP\/1\.[01]\r?(?:\n|$)/;

function isRequest({ rawPacket, bytesParsed }: Unreadable): boolean {
  if (!rawPacket) return false;
  // Other requests may stand before it in the same packet.
  const start = rawPacket.lastIndexOf('\n', Math.max((bytesParsed ?? 0) - 1, 0)) + 1;
  return REQUEST_LINE.test(rawPacket.subarray(start, start + 16_384).toString('latin1'));
}

function problemOf(error: NodeJS.ErrnoException): Problem {
  const { code } = error;
  if (code === 'HPE_INVALID_METHOD' && isRequest(error as Unreadable)) return notImplemented;
  if (code === 'HPE_HEADER_OVERFLOW')
    return libraryProblem('headers-too-large', { detail: 'The path and headers may have 16 kB in all.' });
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return libraryProblem('timeout', { detail: 'The request did not arrive in time.' });
  return libraryProblem('malformed', { detail: 'The request is not valid HTTP/1.1.' });
}
