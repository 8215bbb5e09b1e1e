// One request to a host of a stage, as a client sends it: JSON there and back, over the connections of an agent.
import { type Agent, request } from 'undici';

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** Default: 20 s. */
  readonly timeoutMs?: number;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  // biome-ignore lint/suspicious/noExplicitAny: what a body is like is for the caller to say
  readonly body: any;
}

export async function asked(dispatcher: Agent, url: string, ask: Ask): Promise<Reply> {
  const { method = 'GET', path, token, headers, body, timeoutMs = 20_000 } = ask;
  const answer = await request(`${url}${path}`, {
    method,
    dispatcher,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    headers: {
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...headers,
    },
    body: body ? JSON.stringify(body) : null,
  });
  const text = await answer.body.text();
  const json = /json/.test(String(answer.headers['content-type']));
  return { status: answer.statusCode, headers: answer.headers, body: json ? JSON.parse(text) : text };
}
