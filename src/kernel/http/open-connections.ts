// The open connections of a server, each with its latest answer; noted once for whoever has to know them: how connections
// end, what an unreadable request follows, whether a reader stands still.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

const LATEST = Symbol('the latest answer');

type Noted = Duplex & { [LATEST]?: ServerResponse };

/** Whoever takes a connection over from HTTP takes it out of the set. */
export function noteConnections(server: Server): Set<Duplex> {
  const connections = new Set<Duplex>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  // Before whoever answers: an answer may be written in the very turn of its request.
  server.prependListener('request', ({ socket }: IncomingMessage, answer: ServerResponse) => {
    (socket as Noted)[LATEST] = answer;
  });
  return connections;
}

/** Undefined as long as nothing was asked on it. */
export function latestAnswerOn(socket: Duplex): ServerResponse | undefined {
  return (socket as Noted)[LATEST];
}
