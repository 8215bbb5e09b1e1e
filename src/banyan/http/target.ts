// What a request asks for, as its first line and its Host field say it (RFC 9112, 3.2). The absolute form is brought
// to the origin form before the router sees it; what is neither is refused before a body is read, and never guessed:
// a router that looks for the first slash would find /admin in *admin and a query behind a #.
import type { IncomingMessage } from 'node:http';
import { libraryProblem, type Problem } from '../contract/problem.ts';

/** Fewer than this: Node drops the rest of so many header fields without a word. */
export const MAX_HEADERS = 2_000;

const SLASH = 47;

/** An authority without credentials; a scheme in front of it may be in capitals. */
const ABSOLUTE = /^https?:\/\/((?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?)([/?].*)?$/is;

const AUTHORITY = /^(?:(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]+)(?::\d*)?)?$/i;

/** Fastify's `rewriteUrl`: the path for the router. The host of an absolute form stands for Host (RFC 9112, 3.2.2). */
export function originForm(request: IncomingMessage): string {
  const url = request.url!;
  if (url.charCodeAt(0) === SLASH || url === '*') return url;
  const parts = ABSOLUTE.exec(url);
  if (!parts) return url;
  // Who speaks HTTP/1.1 sends the field all the same, and is told so below.
  if (request.headers.host !== undefined || request.httpVersion === '1.0') request.headers.host = parts[1]!;
  const path = parts[2] ?? '';
  if (path.charCodeAt(0) === SLASH) return path;
  return path === '' && request.method === 'OPTIONS' ? '*' : `/${path}`;
}

/**
 * The refusal of a request that does not say clearly what it asks of whom; undefined when it does. `mostHeaders`: so
 * many header fields are too many; Node leaves them out in silence.
 */
export function refusalOf(
  { url, method, headers, rawHeaders, httpVersion }: IncomingMessage,
  mostHeaders: number,
): Problem | undefined {
  if (url!.charCodeAt(0) !== SLASH && (url !== '*' || method !== 'OPTIONS')) {
    return malformed(
      'The target of a request is a path that begins with /, or an http address without a user.',
    );
  }
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[#\x00-\x20\x7f]/.test(url!)) {
    return malformed('The target of a request has no #, no space and no control character; encode them.');
  }
  if (rawHeaders.length >= 2 * mostHeaders) {
    return libraryProblem('headers-too-large', {
      detail: `A request has fewer than ${mostHeaders} header fields.`,
    });
  }
  const { host } = headers;
  if (host === undefined) {
    return httpVersion === '1.0' ? undefined : malformed('The Host header is missing (RFC 9112, 3.2).');
  }
  if (!AUTHORITY.test(host) || hosts(rawHeaders) > 1)
    return malformed('There is one Host header, with a name and perhaps a port (RFC 9112, 3.2).');
  return undefined;
}

/** Node keeps the first of several and says nothing. */
function hosts(rawHeaders: readonly string[]): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1;
  }
  return count;
}

const malformed = (detail: string) => libraryProblem('malformed', { detail });
