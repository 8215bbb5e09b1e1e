// Header fields that speak of one connection and end with it (RFC 9110, 7.6.1): the fixed ones, and whatever else
// Connection names. They are taken out of what a client sends and of what a service answers, so that neither hears of
// the other's connection. Trailers end here, too: bodies are passed on whole and with their length.

const fixed = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * A sender may not remove these by naming them in Connection. Without its length a message would be framed
 * anew; without its credentials it would come to the second of two hosts that check them; without the address
 * of its client it would count as its proxy's; without the side that it asks for nobody would ask who may ask.
 */
const meant = new Set([
  'authorization',
  'content-length',
  'content-type',
  'host',
  'x-banyan-side',
  'x-forwarded-for',
  'x-forwarded-proto',
]);

/**
 * Bytes of headers that one host takes from another, either way: the 16 kB that a client may send, and what a gateway
 * adds, its token above all.
 */
export const HOP_HEADER_BYTES = 32 * 1024;

export type Headers = Record<string, string | string[] | undefined>;

/** Takes the fields out that Connection names; the fixed ones stay. */
export function dropNamed(headers: Headers): void {
  const { connection } = headers;
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return;
  for (const option of String(connection).toLowerCase().split(',')) {
    const name = option.trim();
    if (!meant.has(name)) delete headers[name];
  }
}

/** Whether it is one of the fixed ones. */
export function isHopByHop(name: string): boolean {
  return fixed.has(name);
}
