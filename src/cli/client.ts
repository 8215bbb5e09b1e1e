// The admin API of the instance that runs: found by BANYAN_URL and BANYAN_TOKEN (or ADMIN_TOKEN), else by DATA_DIR.
// Answers are passed on as they came; every way to not get one ends in a Failure that says what to do.
import { existsSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { request } from 'undici';
import type { ProblemBody } from '../banyan/contract/problem.ts';
import type { Entry, Overview } from '../banyan/placement/admin-contract.ts';
import { mayRun, readInstanceFile } from '../banyan/supervisor/instance-file.ts';
import { Failure, failure } from './failure.ts';
import type { Terminal } from './terminal.ts';

export interface Answer<T> {
  /** The body as it was sent. */
  readonly text: string;
  readonly body: T;
}

export interface PlaceWish {
  readonly placement: Entry['placement'];
  readonly percent?: number | undefined;
  readonly mirror?: Partial<NonNullable<Entry['mirror']>> | undefined;
  readonly reason?: string | undefined;
  readonly guard?: boolean | undefined;
}

export type Flipped = Entry & { readonly lagging?: readonly string[]; readonly note?: string };

export interface Client {
  readonly url: string;
  placements(): Promise<Answer<Overview>>;
  place(module: string, wish: PlaceWish): Promise<Answer<Flipped>>;
  services(module: string, instances: number, timeoutMs?: number): Promise<Answer<Entry>>;
  /** Any operation of /openapi.json. `next`: the step after a problem, by its code, where there is a better one. */
  ask<T>(
    method: Method,
    path: string,
    options?: { body?: object; waitMs?: number; next?: Readonly<Record<string, string>> },
  ): Promise<Answer<T>>;
}

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export function dataDirOf({ env }: Pick<Terminal, 'env'>): string {
  return resolve(env.DATA_DIR || '.banyan');
}

export function connect(terminal: Terminal, command: string): Client {
  const { url, adminUrl = url } = findUrl(terminal);
  const token = findToken(terminal);
  const ask: Client['ask'] = async <T>(method: Method, path: string, options = {}) => {
    const { body, waitMs = 30_000, next = {} } = options as NonNullable<Parameters<Client['ask']>[2]>;
    const at = path.startsWith('/admin') ? adminUrl : url;
    const { status, text } = await send(terminal, at, token, { method, path, body, waitMs, command });
    const parsed = parse<T>(text);
    if (status >= 200 && status < 300 && parsed !== undefined) return { text, body: parsed };
    const failed = refused(status, text, parsed as ProblemBody | undefined, at, terminal);
    const better = next[failed.problem.code];
    throw better === undefined ? failed : new Failure(failed.problem, better, text);
  };
  const call = <T>(method: Method, path: string, body?: object, waitMs?: number) =>
    ask<T>(method, path, { body, waitMs });
  const at = (kind: string, module: string) => `/admin/${kind}/${encodeURIComponent(module)}`;
  return {
    url,
    ask,
    placements: () => call('GET', '/admin/placements'),
    place: (module, wish) => call('PUT', at('placements', module), wish),
    services: (module, instances, timeoutMs) =>
      // The server waits for the drain and then for the end of the processes; it answers well before this.
      call(
        'PUT',
        at('services', module),
        { instances, ...(timeoutMs && { timeoutMs }) },
        (timeoutMs ?? 30_000) + 120_000,
      ),
  };
}

interface Sent {
  readonly method: Method;
  readonly path: string;
  readonly body: object | undefined;
  readonly waitMs: number;
  readonly command: string;
}

async function send(
  terminal: Terminal,
  url: string,
  token: string,
  { method, path, body, waitMs, command }: Sent,
) {
  try {
    const response = await request(new URL(path, url), {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(method !== 'GET' && { 'x-changed-by': caller(command) }),
        ...(body && { 'content-type': 'application/json' }),
      },
      body: body && JSON.stringify(body),
      headersTimeout: waitMs,
      signal: terminal.interrupted,
    });
    return { status: response.statusCode, text: await response.body.text() };
  } catch (error) {
    if (terminal.interrupted.aborted)
      throw failure(
        'interrupted',
        499,
        'Interrupted',
        'What was begun goes on; see where it got to.',
        'npx banyan status',
      );
    const reason = (error as { code?: string }).code ?? (error as Error).message;
    throw failure(
      'unreachable',
      503,
      'No answer',
      `Nothing answers at ${url} (${reason}).`,
      whereNext(terminal),
    );
  }
}

/** Where it is, and where its /admin is if that has a port of its own. */
function findUrl(terminal: Terminal): { readonly url: string; readonly adminUrl?: string } {
  const { BANYAN_URL } = terminal.env;
  if (BANYAN_URL) {
    if (!/^https?:$/.test(URL.parse(BANYAN_URL)?.protocol ?? ''))
      throw failure(
        'bad-url',
        400,
        'BANYAN_URL is not an address',
        `BANYAN_URL is "${BANYAN_URL}".`,
        'Set it to the public address, for example http://127.0.0.1:3000',
      );
    return { url: BANYAN_URL };
  }
  const dataDir = dataDirOf(terminal);
  const instance = readInstanceFile(dataDir);
  if (!instance)
    throw failure(
      'not-running',
      503,
      'No Banyan is running here',
      `There is no ${join(dataDir, 'instance.json')}.`,
      'Start it: npm start (or point to it with DATA_DIR, or with BANYAN_URL and BANYAN_TOKEN)',
    );
  if (!mayRun(instance))
    throw failure(
      'not-running',
      503,
      'No Banyan is running here',
      `The one of ${dataDir} (pid ${instance.pid}) has ended without a word.`,
      'Start it again: npm start',
    );
  return instance;
}

function findToken(terminal: Terminal): string {
  const { BANYAN_TOKEN, ADMIN_TOKEN } = terminal.env;
  if (BANYAN_TOKEN || ADMIN_TOKEN) return (BANYAN_TOKEN || ADMIN_TOKEN)!;
  const path = join(dataDirOf(terminal), 'admin-token');
  try {
    if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  } catch {
    throw failure(
      'no-token',
      401,
      'The admin token cannot be read',
      `You may not read ${path}.`,
      'Run this as the user who runs npm start, or set BANYAN_TOKEN',
    );
  }
  throw failure(
    'no-token',
    401,
    'There is no admin token',
    `ADMIN_TOKEN is not set, and there is no ${path}.`,
    'Set ADMIN_TOKEN to the token that the instance was started with, or BANYAN_TOKEN to one of your own',
  );
}

function refused(
  status: number,
  text: string,
  problem: ProblemBody | undefined,
  url: string,
  terminal: Terminal,
): Failure {
  if (!problem?.title)
    return failure(
      'not-banyan',
      502,
      'That is not Banyan',
      `${url} answered ${status}, and no problem of ours.`,
      whereNext(terminal),
    );
  if (typeof problem.missingScope === 'string')
    return new Failure(problem, `Set BANYAN_TOKEN to a token with the scope ${problem.missingScope}`, text);
  if (status === 401 || status === 403) return new Failure(problem, otherToken(terminal, url), text);
  if (status === 404 && problem.code === 'not-found' && terminal.env.BANYAN_URL)
    return new Failure(
      problem,
      'If /admin has a port of its own there (ADMIN_PORT), set BANYAN_URL to that one',
      text,
    );
  return new Failure(problem, status === 404 || status === 503 ? 'npx banyan status' : undefined, text);
}

function otherToken({ env }: Terminal, url: string): string {
  if (env.BANYAN_TOKEN) return `BANYAN_TOKEN is no token that ${url} takes: it was revoked, or is another's`;
  const source = env.ADMIN_TOKEN ? 'ADMIN_TOKEN' : join(dataDirOf({ env }), 'admin-token');
  return `${source} is not the token that ${url} was started with: set ADMIN_TOKEN to that one`;
}

function whereNext({ env }: Terminal): string {
  return env.BANYAN_URL ? 'Check BANYAN_URL, and that it is running there' : 'Start it: npm start';
}

/** For the audit: who asked, and by what. Headers take ASCII only. */
function caller(command: string): string {
  const user = () => {
    try {
      return userInfo().username;
    } catch {
      return 'somebody';
    }
  };
  return `${user()}@${hostname()} (banyan ${command})`.replace(/[^\x20-\x7e]/g, '?').slice(0, 100);
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}
