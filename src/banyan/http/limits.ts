// How large a request may be: bytes of a body by its operation, and values in it by all. Derived from the contracts,
// so that the gateway, a service and a host that runs the module itself refuse at the same byte.
import type { OperationSpec } from '../contract/contract.ts';
import { longestJson } from '../contract/longest.ts';

/** What any JSON body may have: room for white space, and for what a schema has no lengths for. */
export const JSON_BODY_LIMIT = 64 * 1024;

/** What multipart writes around the file of an upload. */
const AROUND_FILE = 64 * 1024;

const made = new WeakMap<OperationSpec, number>();

/** The largest body of an operation, in bytes; of none, what any body may have. */
export function bodyLimitOf(spec: OperationSpec | undefined): number {
  if (!spec) return JSON_BODY_LIMIT;
  let limit = made.get(spec);
  if (limit === undefined) {
    limit = spec.upload
      ? spec.upload.maxBytes + AROUND_FILE
      : Math.max(JSON_BODY_LIMIT, longestJson(spec.input), spec.maxBodyBytes ?? 0);
    made.set(spec, limit);
  }
  return limit;
}
