// JSON Pointers (RFC 6901) as errors name fields by them. A name that a stranger chose is not repeated at any length:
// 60 kB of it would come back in the answer, in the log and in whatever shows either.

const MAX_CHARACTERS = 100;

/** A name as a step of a pointer; cut off where it is longer than any field of ours. */
export function escapePointer(name: string): string {
  const shown = name.length > MAX_CHARACTERS ? `${name.slice(0, MAX_CHARACTERS).toWellFormed()}…` : name;
  return shown.replaceAll('~', '~0').replaceAll('/', '~1');
}
