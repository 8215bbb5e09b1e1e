// The latest answer of every connection of a server, noted once for whoever has to know it: how a connection ends, what
// an unreadable request follows, whether a reader stands still.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

const LATEST = Symbol('the latest answer');

type Noted = Duplex & { [LATEST]?: ServerResponse };

/** Before whoever answers: an answer may be written in the very turn of its request. */
export function noteLatestAnswers(server: Server): void {
  server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    (socket as Noted)[LATEST] = answer;
  });
}

/** Undefined as long as nothing was asked on it. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return (socket as Noted)[LATEST];
}
