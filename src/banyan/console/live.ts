// The picture as a stream (server-sent events), and as an answer to a poll for whoever cannot have one. Guarantees: so many
// streams and no more, the others are told to poll; all end when the host stops.
import type { FastifyInstance } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import type { ConsoleParts } from './parts.ts';
import { createPicture } from './picture.ts';
import { KEPT_SECONDS } from './series.ts';
import type { ConsoleSession, ConsoleSessions } from './session.ts';
import { Streams } from './streams.ts';

const MOST_STREAMS = 32;

export interface Live {
  register(app: FastifyInstance): void;
  /** Ends what is open by that session. */
  end(session: ConsoleSession): void;
}

export function openLive(parts: ConsoleParts, sessions: ConsoleSessions): Live {
  const { prefix, closing } = parts;
  const source = createPicture(parts);
  const streams = new Streams(source, sessions);
  closing.addEventListener('abort', () => {
    streams.endAll('stopping');
    source.close();
  });
  const refuse = (): void => {
    if (closing.aborted)
      throw libraryProblem('unavailable', { detail: 'This host is about to stop.', retryAfter: 1 });
    if (streams.size >= MOST_STREAMS)
      throw libraryProblem('unavailable', {
        detail: `${MOST_STREAMS} pages watch this host already. Ask for ${prefix}/api/picture every few seconds.`,
        retryAfter: 5,
      });
  };
  return {
    end: (session) => streams.endAll('session', session),
    register(app) {
      app.get(`${prefix}/api/picture`, async () => source.now());
      app.get(`${prefix}/api/series/:module`, async ({ params }) => ({
        rows: source.series((params as { module: string }).module, KEPT_SECONDS),
      }));
      app.get(`${prefix}/api/live`, async (request, reply) => {
        refuse();
        const { last } = request.query as { last?: string };
        const known = request.headers['last-event-id'] ?? last;
        reply.hijack();
        reply.raw.writeHead(200, {
          ...(reply.getHeaders() as Record<string, string>),
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        await streams.add({ response: reply.raw, session: request.session }, known as string | undefined);
      });
    },
  };
}
