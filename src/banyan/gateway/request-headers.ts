// The headers of a request on its way to a process: what goes to it besides what the client said, and without what was
// said to this gateway alone.
import type { FastifyRequest } from 'fastify';
import type { Share } from '../context/share.ts';
import type { Headers } from '../http/hop-by-hop.ts';
import { SHARE_HEADER } from '../http/request-share.ts';
import type { Instance } from '../routing/snapshot.ts';
import { withoutSession } from './console.ts';

/** What this gateway is called in Via. */
const PSEUDONYM = 'banyan';

/** Fields that are no business of the process; Connection and its like are gone since the request came in. */
const endsHere = ['transfer-encoding', 'expect', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto'];

/** Changes them in place. @param token the internal token for that process. @param share undefined: no module has shares. */
export function passOn(
  headers: Headers,
  request: FastifyRequest,
  instance: Instance,
  token: string,
  share: Share | undefined,
): Headers {
  headers.host = hostOf(instance);
  headers['x-internal-token'] = token;
  headers.traceparent = request.traceparent;
  headers['x-forwarded-for'] = request.ip;
  const via = `${request.raw.httpVersion} ${PSEUDONYM}`;
  headers.via = headers.via === undefined ? via : `${headers.via}, ${via}`;
  if (share) headers[SHARE_HEADER] = share.key;
  for (const name of endsHere) if (headers[name] !== undefined) delete headers[name];
  if (headers.cookie !== undefined) {
    const cookies = withoutSession(String(headers.cookie));
    if (cookies === undefined) delete headers.cookie;
    else headers.cookie = cookies;
  }
  // What a request has that is read without its body.
  if (!request.body && headers['content-length'] !== undefined) delete headers['content-length'];
  return headers;
}

/** The Host header for a process: what stands between `//` and the next slash. */
function hostOf({ url }: Instance): string {
  return url.split('/', 3)[2]!;
}
