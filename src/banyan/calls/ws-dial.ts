// Opens one WebSocket to another host and says what becomes of it: that it is open, what it brings, and why it ended,
// in words. It keeps no state of the link that uses it, and does not know whether that still wants this connection.
import type { IncomingHttpHeaders } from 'node:http';
import WebSocket from 'ws';
import { CALLS_PATH } from './frames.ts';

const HANDSHAKE_MS = 2000;

// RFC 6455 masks what clients send so that a script in a browser cannot forge bytes for a proxy in between.
// Here both ends are ours and no script chooses the bytes; ws skips the work for a mask of zeroes: a third
// more calls per second (bench/calls/profiles.md).
const noMask = (mask: Buffer) => mask.fill(0);

export interface Dialled {
  /** `http://host:port` of the internal port. */
  readonly url: string;
  readonly authorization: string;
  readonly maxPayload: number;
  /** It answered 401 to the internal token: why, in words. */
  readonly refused: (headers: IncomingHttpHeaders) => string;
  readonly opened: (ws: WebSocket) => void;
  readonly received: (data: Buffer) => void;
  /** It answered a ping. */
  readonly alive: () => void;
  readonly closed: (reason: string, code: number) => void;
}

export function dial(dialled: Dialled): WebSocket {
  const { url, authorization, maxPayload } = dialled;
  const ws = new WebSocket(`${url.replace(/^http/, 'ws').replace(/\/$/, '')}${CALLS_PATH}`, {
    headers: { authorization },
    perMessageDeflate: false,
    maxPayload,
    handshakeTimeout: HANDSHAKE_MS,
    generateMask: noMask,
  });
  let reason = 'the connection broke';
  let answered = false;
  ws.on('open', () => dialled.opened(ws));
  ws.on('unexpected-response', (_request, response) => {
    const { statusCode, headers } = response;
    answered = true;
    reason = statusCode === 401 ? dialled.refused(headers) : `it answered ${statusCode} to the handshake`;
    response.destroy();
    ws.terminate();
  });
  ws.on('message', dialled.received);
  ws.on('pong', dialled.alive);
  ws.on('error', (error) => {
    // It was ended here, and why is known.
    if (answered) return;
    reason = error.message || (error as NodeJS.ErrnoException).code || reason;
  });
  ws.on('close', (code) => dialled.closed(reason, code));
  return ws;
}
