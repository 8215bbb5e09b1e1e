// Which operation a request is for, found outside of the router: for 405, and for the gateway, which lets nobody
// through to a service who may not call what they ask for. Reads paths as the router does: decoded by segment.
import type { Contract, OperationSpec } from '../contract/contract.ts';

/** Whether a Fastify path fits the URL, which is decoded once for all of them. */
export function pathMatcher(url: string): (pattern: string) => boolean {
  const given = url.split('?', 1)[0]!.split('/').map(decoded);
  return (pattern) => {
    const wanted = pattern.split('/');
    return (
      wanted.length === given.length && wanted.every((part, i) => part.startsWith(':') || part === given[i])
    );
  };
}

/** The operation behind a method and URL; undefined when there is none. A fixed path comes before a pattern. */
export function operationFinder(
  contract: Contract,
): (method: string, url: string) => OperationSpec | undefined {
  const routed = Object.values(contract.operations)
    .filter((spec) => spec.http)
    .sort((a, b) => parameters(a) - parameters(b));
  return (method, url) => {
    const matches = pathMatcher(url);
    const wanted = method === 'HEAD' ? 'GET' : method;
    return routed.find((spec) => spec.http!.method === wanted && matches(spec.http!.path));
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
