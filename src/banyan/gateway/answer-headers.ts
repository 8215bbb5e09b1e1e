// The headers of a service's answer as a client may have them, in whatever language the service is written: without
// those of its connection to this gateway, with one value where there is only one to have, and without bytes that no
// header may carry, for which Node would refuse the whole answer.
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

const UNSAYABLE = /[^\t\x20-\x7e\x80-\xff]/;
const ALL_UNSAYABLE = new RegExp(UNSAYABLE, 'g');

/** Makes a copy: deleting fields would make every later access to the object slower. */
export function cleanAnswer(headers: Headers): Headers {
  dropNamed(headers);
  const clean: Headers = {};
  for (const name in headers) {
    if (isHopByHop(name)) continue;
    const value = headers[name]!;
    if (typeof value === 'string') clean[name] = sayable(value);
    else clean[name] = single.has(name) ? sayable(value[0]!) : value.map(sayable);
  }
  return clean;
}

function sayable(value: string): string {
  return UNSAYABLE.test(value) ? value.replace(ALL_UNSAYABLE, '') : value;
}
