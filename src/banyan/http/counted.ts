// What became of a request on the public port, counted for the side that it was routed to. Guarantees: each request that
// comes past the entrance is counted once, when its answer is out or its client has gone. One whose client left first is
// not bad, but may be slow: whoever never answers is seen by it.
import type { FastifyReply, onRequestHookHandler } from 'fastify';
import type { SideCounter } from '../telemetry/stats.ts';

/** For a route whose side and operation are known. */
export function counting(counter: SideCounter): onRequestHookHandler {
  return (_request, reply, done) => {
    whenOver(reply, () => count(counter, reply));
    done();
  };
}

export function count(counter: SideCounter, reply: FastifyReply): void {
  counter.note(reply.elapsedTime, reply.raw.writableFinished && reply.statusCode >= 500);
}

/** When the answer has gone out or the client went away, which may have been before a hook that waited was done. */
export function whenOver({ raw }: FastifyReply, then: () => void): void {
  if (raw.destroyed) then();
  else raw.once('close', then);
}
