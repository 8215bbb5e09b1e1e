// The open connections of a server, each with its latest answer; noted once for whoever has to know them: how connections
// end, what an unreadable request follows, whether a reader stands still.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const LATEST = Symbol('the latest answer');
const BEHIND = Symbol('answers that wait behind others');

type Noted = Duplex & { [LATEST]?: ServerResponse; [BEHIND]?: number };

/**
 * Requests of one connection may follow one another without waiting. Node works on all that a packet holds at once, and
 * keeps their answers until the first is taken: 16 kB of requests may be gigabytes of answers.
 */
const MAX_BEHIND = 32;

/** Whoever takes a connection over from HTTP takes it out of the set. */
export function noteConnections(server: Server): Set<Duplex> {
  const connections = new Set<Duplex>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // Before whoever answers: an answer may be written in the very turn of its request.
  server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    const noted = socket as Noted;
    const before = noted[LATEST];
    noted[LATEST] = answer;
    if (!before || before.writableFinished) return;
    noted[BEHIND] = (noted[BEHIND] ?? 0) + 1;
    answer.once('close', () => {
      noted[BEHIND]! -= 1;
    });
  });
  return connections;
}

/** Whether more requests of it wait for their answers than anybody needs. */
export function isOverfull(socket: Duplex): boolean {
  return ((socket as Noted)[BEHIND] ?? 0) > MAX_BEHIND;
}

/** Undefined as long as nothing was asked on it. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return (socket as Noted)[LATEST];
}
