// One thing that somebody tries who holds a service's environment, and how it is judged. Guarantees: what was refused says
// so by throwing Refused; what came back, in words, is a success of the attacker; what did neither is judged by its victim,
// who must be as before (victim.ts). One more attempt is one more line of a table (attempts/). It knows no attempt.
import type { Thief } from './thief.ts';
import type { Victim } from './victim.ts';

export interface Attempt {
  readonly name: string;
  /** Answers in words what the attacker got; undefined: it was done, and its victim says whether that mattered. */
  readonly tries: (thief: Thief, victim: Victim) => Promise<string | undefined>;
  /** A host saw it, so its security log has it. Databases and files keep none. */
  readonly seen?: boolean;
  /** Its victim works on meanwhile, or puts something right: it says itself whether all is well. */
  readonly moves?: boolean;
}

/** It was said no to; the message says by whom and how. */
export class Refused extends Error {}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a body is like is what attempts look at
  readonly body: any;
}

/** Asks, and never rejects but for a network that is gone. */
export async function ask(url: string, options: RequestInit & { json?: unknown } = {}): Promise<Answer> {
  const { json, ...init } = options;
  const response = await fetch(url, {
    redirect: 'manual',
    signal: AbortSignal.timeout(10_000),
    ...init,
    headers: { ...(json === undefined ? {} : { 'content-type': 'application/json' }), ...init.headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  };
}

/** With each of the tokens at once: one that nobody knows waits for a look at the picture, which all share. */
export async function withEach(
  tokens: readonly string[],
  work: (token: string) => Promise<Answer>,
): Promise<Answer[]> {
  return Promise.all(tokens.map(work));
}

/** Every one of them was said no to, by a status that says so. Else what the first one got, in words. */
export function allRefused(
  answers: readonly Answer[],
  statuses: readonly number[] = [400, 401, 403, 404, 409, 413, 422, 429],
): string {
  const taken = answers.find(({ status }) => !statuses.includes(status));
  if (taken) return `answered ${taken.status}: ${taken.text.slice(0, 300)}`;
  if (answers.length === 0) return 'nothing was tried';
  throw new Refused(answers.map(({ status }) => status).join(', '));
}
