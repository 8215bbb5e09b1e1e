// One exchange with control: the request, and what its refusals mean.
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'undici';
import { refusalInWords } from '../identity/hop.ts';
import { CONTROL_AUDIENCE } from '../identity/internal-token.ts';
import { SYNC_PATH, type SyncAnswer } from './sync.ts';
import type { SyncRequest } from './sync-request.ts';

/** Control answered, and said no: a contract that breaks its callers, an id that is taken, what its key does not speak for. */
export class Refused extends Error {
  readonly reason:
    | 'contract-incompatible'
    | 'id-taken'
    | 'too-many'
    | 'not-yours'
    | 'address-refused'
    | 'unauthenticated'
    | 'invalid'
    | undefined;

  constructor(message: string, reason: Refused['reason']) {
    super(message);
    this.name = 'Refused';
    this.reason = reason;
  }
}

/** Rejects with Refused, with the reason of the abort, or with what the network said. */
export async function sendSync(
  target: string,
  token: (audience: string) => string | Promise<string>,
  body: SyncRequest,
  signal: AbortSignal,
): Promise<SyncAnswer> {
  const response = await request(`${target}${SYNC_PATH}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await token(CONTROL_AUDIENCE)}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(body),
    // A monolith that is frozen takes connections and never answers.
    signal: AbortSignal.any([signal, AbortSignal.timeout(body.waitMs + 1000)]),
  });
  const text = await response.body.text();
  if (response.statusCode === 200) return JSON.parse(text) as SyncAnswer;
  throw failureOf(response.statusCode, text, target, response.headers);
}

function failureOf(status: number, text: string, target: string, headers: IncomingHttpHeaders): Error {
  const { detail, reason, errors = [] } = parse(text);
  const paths = errors.map(({ path, message }) => `\n  ${path}: ${message}`).join('');
  if (status === 409 || status === 403) return new Refused(`${detail}${paths}`, reason);
  if (status === 422) return new Refused(`${detail}${paths}`, 'invalid');
  if (status === 401) return new Refused(refusalInWords(target, headers), 'unauthenticated');
  return new Error(`${target}${SYNC_PATH} answered ${status}${detail ? `: ${detail}` : ''}`);
}

function parse(text: string): {
  detail?: string;
  reason?: Refused['reason'];
  errors?: { path: string; message: string }[];
} {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}
