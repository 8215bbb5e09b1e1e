// The headers of a service's answer as a client may have them, in whatever language the service is written: without
// those of its connection to this gateway, with one value where there is only one to have, and without bytes that no
// header may carry, for which Node would refuse the whole answer.
import { dropHopByHop, type Headers } from '../kernel/http/hop-by-hop.ts';

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

const unsayable = /[^\t\x20-\x7e\x80-\xff]/g;

export function cleanAnswer(headers: Headers): void {
  dropHopByHop(headers);
  for (const name in headers) {
    const value = headers[name]!;
    if (typeof value === 'string') headers[name] = sayable(value);
    else headers[name] = single.has(name) ? sayable(value[0]!) : value.map(sayable);
  }
}

function sayable(value: string): string {
  return value.search(unsayable) < 0 ? value : value.replace(unsayable, '');
}
