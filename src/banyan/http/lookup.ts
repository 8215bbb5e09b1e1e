// Which operation a request is for, found outside of the router: for 405, and for the gateway, which lets nobody
// through to a service who may not call what they ask for. Reads paths as the router does: decoded by segment.
import type { Contract, OperationSpec } from '../contract/contract.ts';

/** Whether a Fastify path fits the URL, which is decoded once for all of them. */
export function pathMatcher(url: string): (pattern: string) => boolean {
  const given = segments(url);
  return (pattern) => fits(pattern.split('/'), given);
}

function segments(url: string): string[] {
  const query = url.indexOf('?');
  const path = query < 0 ? url : url.slice(0, query);
  const parts = path.split('/');
  return path.includes('%') ? parts.map(decoded) : parts;
}

function fits(wanted: readonly string[], given: readonly string[]): boolean {
  if (wanted.length !== given.length) return false;
  // From the end: where paths differ they seldom differ in /api/<module>.
  for (let i = wanted.length - 1; i >= 0; i -= 1)
    if (wanted[i] !== given[i] && !wanted[i]!.startsWith(':')) return false;
  return true;
}

/** The operation behind a method and URL; undefined when there is none. A fixed path comes before a pattern. */
export function operationFinder(
  contract: Contract,
): (method: string, url: string) => OperationSpec | undefined {
  const routed = Object.values(contract.operations)
    .filter((spec) => spec.http)
    .sort((a, b) => parameters(a) - parameters(b))
    .map((spec) => ({ spec, method: spec.http!.method as string, pattern: spec.http!.path.split('/') }));
  return (method, url) => {
    const given = segments(url);
    const wanted = method === 'HEAD' ? 'GET' : method;
    return routed.find((one) => one.method === wanted && fits(one.pattern, given))?.spec;
  };
}

function parameters(spec: OperationSpec): number {
  return spec.http!.path.split('/:').length;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
