// The rest of a body that nobody will look at. A connection that closes under a client that is still sending is
// reset, and the client never sees why it was refused: so the rest is read and dropped first.
import type { FastifyReply, FastifyRequest } from 'fastify';

/** How long a connection may be idle; Node says it in every answer, and so do we where Node does not. */
export const KEEP_ALIVE_MS = 72_000;

/** Whoever sends more than this behind a refusal is cut off; the largest body of any operation is a sixth of it. */
const MAX_DROPPED_BYTES = 64 * 1024 * 1024;

/**
 * Answers at once where the connection stays: Node goes on reading, for as long as a request may take. Where it
 * will close, answers when the client is done.
 */
export function dropRest({ raw }: FastifyRequest, reply: FastifyReply, answer: () => void): void {
  raw.unpipe();
  raw.resume();
  if (reply.raw.shouldKeepAlive || raw.destroyed) {
    answer();
    return;
  }
  reply.header('connection', 'close');
  let dropped = 0;
  const once = () => {
    for (const event of ['end', 'close', 'error']) raw.off(event, once);
    raw.off('data', count);
    answer();
  };
  const count = (part: Buffer) => {
    dropped += part.length;
    if (dropped > MAX_DROPPED_BYTES) once();
  };
  for (const event of ['end', 'close', 'error']) raw.once(event, once);
  raw.on('data', count);
}

/**
 * Fastify and reply-from close after a body that was not read, which Node does for itself. Set and not removed: without
 * the header a client of HTTP/1.0 would not know that the connection stays. A port that closes has said so already.
 */
export function keepConnection(reply: FastifyReply): void {
  if (!reply.hasHeader('connection')) return;
  const { raw } = reply;
  if (!raw.shouldKeepAlive || raw.hasHeader('connection')) return;
  reply.header('connection', 'keep-alive').header('keep-alive', `timeout=${KEEP_ALIVE_MS / 1_000}`);
}
