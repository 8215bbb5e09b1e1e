// One question to the internal port of another host, with this one's token: bounded in time and bytes, and what came
// instead of an answer in words.
import { request } from 'undici';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import type { HostRow } from './tables.ts';

export type AskedHost = Pick<HostRow, 'host' | 'id' | 'url' | 'kid'>;

export interface Question {
  readonly path: string;
  /** Absent: it is a GET. */
  readonly body?: unknown;
  readonly signal: AbortSignal;
  readonly mostBytes: number;
}

/** Rejects with a sentence about the host. */
export async function askHost(
  { url, id, kid }: AskedHost,
  tokens: Pick<InternalTokens, 'mint'>,
  { path, body: sent, signal, mostBytes }: Question,
): Promise<unknown> {
  const token = await tokens.mint(audienceOf(id), kid === null);
  const { statusCode, body } = await request(`${url}${path}`, {
    method: sent === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(sent === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: sent === undefined ? null : JSON.stringify(sent),
    signal,
  });
  if (statusCode !== 200) {
    await body.dump();
    throw new Error(
      statusCode === 404 ? 'it is of a version that knows nothing of this' : `it answered ${statusCode}`,
    );
  }
  let text = '';
  for await (const part of body.setEncoding('utf8')) {
    text += part;
    if (text.length > mostBytes) throw new Error(`its answer is longer than ${mostBytes} bytes`);
  }
  return JSON.parse(text);
}

export function whyNoAnswer(error: unknown, signal: AbortSignal, withinMs: number): string {
  if (signal.aborted) return `no answer within ${withinMs} ms`;
  const { message, code } = error as Error & { code?: string };
  return message || code || 'no answer';
}
