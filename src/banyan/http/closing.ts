// How an HTTP server ends whatever its clients do. From `leave` on every answer says `Connection: close`, also to what
// was under way, so that a kept connection ends with its next answer and nobody is cut off. `close` takes no connection
// more, ends the idle ones at once, lets the others finish, and cuts off what is left when the time is up: a reader
// that never reads, an upload that trickles. Node's own close waits for those, and ends no connection that falls idle
// after it. It knows nothing of what is asked.
import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { latestAnswerOn } from './open-connections.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly closing: Closing;
  }
}

export interface Closing {
  /** Answers end their connections from now on; requests are taken still. */
  leave(): void;
  /** The connection speaks another protocol now, and is somebody else's to end. */
  forget(socket: Duplex): void;
  /** Answers how many connections had to be cut off; `end` stops the server from listening. */
  close(ms: number, end: () => Promise<unknown>): Promise<number>;
}

/** How often connections that fell idle are looked for while a server closes. */
const LOOK_MS = 50;
/** A connection on which nothing is asked yet has this long to finish a request's head that is on its way. */
const HEAD_MS = 2_000;

/** @param connections of the server, all that are open. */
export function closingOf(server: Server, connections: Set<Duplex>): Closing {
  let leaving = false;
  const closeIdle = server.closeIdleConnections.bind(server);

  // Node's own also destroys connections whose answer is written and not yet read, and is called by its `close`.
  server.closeIdleConnections = () => {
    const unread = [...connections].filter((socket) => {
      const answer = latestAnswerOn(socket);
      return answer?.writableEnded && !answer.writableFinished;
    });
    for (const socket of unread) socket.destroy = () => socket;
    closeIdle();
    for (const socket of unread) Reflect.deleteProperty(socket, 'destroy');
  };

  const leave = () => {
    if (leaving) return;
    leaving = true;
    // Before whoever answers: an answer may be written in this very turn.
    server.prependListener('request', (_request, answer) => {
      answer.shouldKeepAlive = false;
    });
    for (const socket of connections) {
      const answer = latestAnswerOn(socket);
      if (answer && !answer.headersSent) answer.shouldKeepAlive = false;
    }
  };
  const cut = (which: (answer: ServerResponse | undefined) => boolean): number => {
    const chosen = [...connections].filter((socket) => which(latestAnswerOn(socket)));
    for (const socket of chosen) socket.destroy();
    return chosen.length;
  };

  return {
    leave,
    forget: (socket) => connections.delete(socket),
    async close(ms, end) {
      leave();
      const begun = performance.now();
      const look = setInterval(() => {
        server.closeIdleConnections();
        if (performance.now() - begun > HEAD_MS) cut((answer) => !answer || answer.writableFinished);
      }, LOOK_MS);
      let lost = 0;
      const late = setTimeout(() => {
        lost = cut(() => true);
      }, ms);
      await end();
      clearInterval(look);
      clearTimeout(late);
      return lost;
    },
  };
}
