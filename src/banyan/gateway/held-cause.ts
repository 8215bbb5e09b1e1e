// Why a process is held out, as one word: for numbers and alarms, which cannot have sentences. The sentences are made in
// identity/hop.ts, inquiry.ts and forwarding.ts, and travel as text with heartbeats, also of other versions.

export type HeldCause = 'clock' | 'key' | 'name' | 'signature' | 'version' | 'probe' | 'silent' | 'other';

const words: readonly (readonly [HeldCause, RegExp])[] = [
  ['clock', /\bclocks?\b.*\bNTP\b/],
  ['key', /does not know the key of this host/],
  ['name', /goes by another name/],
  ['version', /this host is of the version before/],
  ['signature', /cannot verify the token/],
  ['probe', / answers \d+ to GET \/health\/ready/],
  ['silent', / does not answer at /],
];

export function heldCause(reason: string): HeldCause {
  return words.find(([, form]) => form.test(reason))?.[0] ?? 'other';
}
