// The headers of a service's answer as a client may have them, in whatever language the service is written: without
// those of its connection to this gateway, with one value where there is only one to have, without bytes that no header
// may carry, for which Node would refuse the whole answer, and without what only the site itself has to say to browsers:
// all modules share one origin, and a page that one of them made up would run beside the documents and operators' tokens.
import { dropNamed, type Headers, isHopByHop } from '../http/hop-by-hop.ts';

/** Of several the first counts, as any client of Node's reads them. */
const single = new Set([
  'age',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'retry-after',
  'server',
  'traceparent',
]);

/** Of the whole site: the gateway says it of every answer (http/security-headers.ts), or nobody does. */
const ofTheSite = new Set([
  'clear-site-data',
  'content-security-policy',
  'content-security-policy-report-only',
  'referrer-policy',
  'service-worker-allowed',
  'strict-transport-security',
  'x-content-type-options',
  'x-internal-token',
]);

const UNSAYABLE = /[^\t\x20-\x7e\x80-\xff]/;
const ALL_UNSAYABLE = new RegExp(UNSAYABLE, 'g');

/** Makes a copy: deleting fields would make every later access to the object slower. */
export function cleanAnswer(headers: Headers): Headers {
  dropNamed(headers);
  const clean: Headers = {};
  for (const name in headers) {
    if (isHopByHop(name) || ofTheSite.has(name)) continue;
    const value = headers[name]!;
    if (typeof value === 'string') clean[name] = sayable(value);
    else clean[name] = single.has(name) ? sayable(value[0]!) : value.map(sayable);
  }
  return clean;
}

function sayable(value: string): string {
  return UNSAYABLE.test(value) ? value.replace(ALL_UNSAYABLE, '') : value;
}
