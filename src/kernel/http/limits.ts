// How large a request may be: bytes of a body by its operation, and values in it by all. Derived from the contracts,
// so that the gateway, a service and a host that runs the module itself refuse at the same byte.
import type { OperationSpec } from '../contract/contract.ts';
import { longestJson } from '../contract/longest.ts';

/** What any JSON body may have: room for white space, and for what a schema has no lengths for. */
export const JSON_BODY_LIMIT = 64 * 1024;

/** What multipart writes around the file of an upload. */
const AROUND_FILE = 64 * 1024;

/** Members and items of one body. The most that any operation takes is 1,000 ids; 10,000 are parsed in 4 ms. */
export const MOST_VALUES = 10_000;

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

const COMMA = 0x2c;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/**
 * Whether JSON text has more values than any operation takes, told from its bytes: to parse 90,000 distinct names takes
 * 60 ms, to count them 1 ms. What is too short to have so many, as nearly every body is, is not looked at.
 */
export function isCrowded(text: Uint8Array, most = MOST_VALUES): boolean {
  return mayBeCrowded(text.length, most) && valuesIn(text, most) > most;
}

/** Each value has a comma before it, or a bracket before and one behind. @param length in bytes, or in characters. */
export function mayBeCrowded(length: number, most = MOST_VALUES): boolean {
  return length >= 2 * most;
}

/** The values of JSON text. @param enough where counting may end: the answer is then one more. */
export function valuesIn(text: Uint8Array, enough = Number.POSITIVE_INFINITY): number {
  let values = 0;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) {
      for (at += 1; at < text.length && text[at] !== QUOTE; at += 1) if (text[at] === BACKSLASH) at += 1;
    } else if (byte === COMMA || byte === BRACKET || byte === BRACE) {
      values += 1;
      if (values > enough) return values;
    }
  }
  return values;
}
