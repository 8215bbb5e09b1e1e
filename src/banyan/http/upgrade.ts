// Offers to speak another protocol. A server may ignore one and answer as if it were not there (RFC 9110, 7.8): so is
// every offer, Java's of h2c among them, by Node itself, in order and with its body. Only the handshake of a WebSocket
// is more than an offer, for whoever sends it can do nothing with a plain answer.
import type { IncomingMessage } from 'node:http';

/** Whether a client asks to begin a WebSocket: GET, and `websocket` among what it offers (RFC 6455, 4.2.1). */
export function isHandshake({ method, headers }: IncomingMessage): boolean {
  const { upgrade, connection } = headers;
  return (
    upgrade !== undefined &&
    method === 'GET' &&
    /(?:^|,)\s*websocket\s*(?:,|$)/i.test(upgrade) &&
    /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(connection ?? '')
  );
}
