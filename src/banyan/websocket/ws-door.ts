// The WebSocket door: lets other hosts in on the internal port, at one exact path, with an internal token that
// is checked before 101. Whoever is refused gets the problem on the raw socket, which is then destroyed; what
// happens on an accepted connection is ws-session.ts.
import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { type ServerOptions, WebSocketServer } from 'ws';
import type { Dispatcher } from '../calls/dispatcher.ts';
import { CALLS_PATH, MAX_FRAME_BYTES } from '../calls/frames.ts';
import type { ObserveCalls } from '../calls/observed.ts';
import { libraryProblem, Problem } from '../contract/problem.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import { refuse } from '../http/refuse.ts';
import { TokenRefused } from '../identity/hop.ts';
import { bearerOf, type InternalCaller } from '../identity/internal-token.ts';
import type { Rights } from '../identity/rights.ts';
import { noSecurityLog, type SecurityLog } from '../telemetry/security-log.ts';
import { WsSession } from './ws-session.ts';
import { methodsOf, type TryHere } from './ws-targets.ts';

/** Clients ping every two seconds. */
const SILENCE_MS = 60_000;

/** A peer that does not answer the goodbye stands still: nothing is owed to it, and a drain goes on without it. */
const GOODBYE_MS = 1_000;

export interface WsDoorOptions {
  /** The server of the internal port; the door takes every Upgrade it gets. */
  readonly server: Server;
  readonly path?: string;
  /** Throws or rejects with the 401 Problem: `(token) => tokens.verify(token, audienceOf(hostId))`. */
  readonly verify: (token: string | undefined) => InternalCaller | Promise<InternalCaller>;
  /** What those who were let in may ask. */
  readonly rights: Rights;
  /** Who a client is for whom a gateway calls. Absent: such calls are wanted by HTTP. */
  readonly verifyBearer?: VerifyBearer;
  /** The modules that this host runs. */
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  /** How what is only to be tried is tried. Absent: such calls are unknown here. */
  readonly tryHere?: TryHere | undefined;
  readonly maxPayload?: number;
  /** A connection without a byte either way for this long is dead. Default 60 s. */
  readonly silenceMs?: number;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  /** Hears of who was not let in, and of calls that were not theirs to make. */
  readonly security?: SecurityLog;
  /** Hears of every call that was answered here. */
  readonly observe?: ObserveCalls | undefined;
}

export interface WsDoor {
  /** Connections, and calls running on them. */
  readonly connections: number;
  readonly inflight: number;
  /** Whoever is not let in any more is told so: takes no more of their calls, and closes when the present ones are answered. */
  review(isKnown: (caller: InternalCaller) => boolean): void;
  /** Lets nobody in, says so to those inside, and is done when their calls are answered or after `withinMs`. */
  drain(withinMs: number): Promise<void>;
  /** At once: calls under way are cut off. */
  close(): Promise<void>;
}

export function attachWsDoor(options: WsDoorOptions): WsDoor {
  const {
    server,
    path = CALLS_PATH,
    verify,
    dispatchers,
    maxPayload = MAX_FRAME_BYTES,
    silenceMs = SILENCE_MS,
    security = noSecurityLog,
  } = options;
  const methods = methodsOf(dispatchers, options.tryHere !== undefined);
  const sessions = new Set<WsSession>();
  let closed = false;
  let emptied: (() => void) | undefined;

  const wss = webSockets(maxPayload);

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', ignore);
    try {
      if (closed) throw libraryProblem('unavailable', { detail: 'This host is shutting down.' });
      if (request.url !== path) throw libraryProblem('not-found', { detail: `Calls are taken at ${path}.` });
      const caller = await verify(bearerOf(request.headers.authorization));
      if (socket.destroyed) return;
      if (closed) throw libraryProblem('unavailable', { detail: 'This host is shutting down.' });
      socket.off('error', ignore);
      wss.handleUpgrade(request, socket, head, (ws) => {
        const session = new WsSession(ws, { ...options, methods, caller, maxPayload, security });
        sessions.add(session);
        socket.on('drain', () => session.drained());
        (socket as Socket).setTimeout(silenceMs, () => ws.terminate());
        ws.once('close', () => {
          sessions.delete(session);
          if (sessions.size === 0) emptied?.();
        });
      });
    } catch (error) {
      turnAway(socket, error, options);
    }
  };
  server.on('upgrade', upgrade);

  const close = async () => {
    closed = true;
    for (const ws of wss.clients) ws.terminate();
  };

  return {
    get connections() {
      return sessions.size;
    },
    get inflight() {
      let running = 0;
      for (const session of sessions) running += session.running;
      return running;
    },
    review(isKnown) {
      for (const session of sessions) if (!isKnown(session.caller)) session.drain();
    },
    async drain(withinMs) {
      closed = true;
      if (sessions.size > 0) {
        const empty = new Promise<void>((resolve) => {
          emptied = resolve;
        });
        for (const session of sessions) session.drain();
        const timer = setTimeout(() => emptied?.(), withinMs);
        await empty;
        clearTimeout(timer);
      }
      await close();
    },
    close,
  };
}

/** Accepts what it is handed, on no server of its own. */
function webSockets(maxPayload: number): WebSocketServer {
  // The types of ws do not know closeTimeout yet.
  const limits: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    perMessageDeflate: false,
    maxPayload,
    clientTracking: true,
    closeTimeout: GOODBYE_MS,
  };
  const wss = new WebSocketServer(limits);
  wss.on('wsClientError', (error, socket) =>
    refuse(socket, libraryProblem('malformed', { detail: error.message })),
  );
  return wss;
}

function ignore(): void {
  // The peer went away during the handshake: nobody is left to be told.
}

/** Answers who is not let in. A token that was refused stands in the security log. */
function turnAway(socket: Duplex, error: unknown, options: WsDoorOptions): void {
  const { path = CALLS_PATH, log, security = noSecurityLog } = options;
  if (error instanceof TokenRefused) {
    const { remoteAddress: address } = socket as Socket;
    const event = { event: 'token.internal', outcome: 'refused', address, target: path } as const;
    security.write({ ...event, reason: error.message });
  }
  if (!(error instanceof Problem)) log.error({ err: error }, 'calls: the handshake failed');
  refuse(socket, error instanceof Problem ? error : libraryProblem('internal'));
}
