// What the page asks of the host: paths under /admin, with the session's rights. What goes wrong is a Problem (RFC 9457) with
// words for people. A session that has ended leads to the sign-in, from wherever it was noticed.
import { signedOut, system } from './system.ts';

export interface ProblemOfField {
  readonly path: string;
  readonly message: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly errors: readonly ProblemOfField[];

  constructor(status: number, title: string, detail = '', errors: readonly ProblemOfField[] = []) {
    super(detail || title);
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.errors = errors;
  }
}

/** No answer at all: the host is gone, or the way to it. */
export const NO_ANSWER = 0;

export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>('GET', path, undefined, signal);
}

/** A change; `path` under /admin. */
export function send<T = unknown>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: unknown,
): Promise<T> {
  return ask<T>(method, path, body);
}

/** `/admin/…` as the console forwards it, for links that download. */
export const urlOf = (path: string) => `${system.prefix}/api${path}`;

export async function ask<T>(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(urlOf(path), {
      method,
      ...(signal ? { signal } : {}),
      headers: {
        accept: 'application/json',
        ...(method === 'GET' ? {} : { 'x-banyan-console': '1' }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(
      NO_ANSWER,
      'No answer',
      'The host does not answer. The console goes on asking; nothing that was done is lost.',
    );
  }
  const text = await response.text();
  const answer = text === '' ? undefined : parsed(text);
  if (response.ok) return answer as T;
  const problem = problemOf(response.status, answer);
  if (response.status === 401 && path !== '/session') signedOut(problem.detail);
  throw problem;
}

function problemOf(status: number, answer: unknown): Problem {
  const { title, detail, errors } = (answer ?? {}) as { title?: unknown; detail?: unknown; errors?: unknown };
  return new Problem(
    status,
    typeof title === 'string' ? title : `The host answered ${status}`,
    typeof detail === 'string' ? detail : '',
    Array.isArray(errors) ? (errors as ProblemOfField[]) : [],
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
