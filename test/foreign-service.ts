// A service in another language, as docs/operations.md has it: plain HTTP, a registration and a beat by /control/sync,
// and nothing of ours in its answers. It lives in the test's own process, and does what the test says.
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { identify } from '../src/banyan/context/process.ts';
import type { Contract } from '../src/banyan/contract/contract.ts';
import { canonicalContract } from '../src/banyan/placement/canonical.ts';
import { type Installation, tokensAs } from '../stage/ring.ts';

export interface Foreign {
  readonly url: string;
  readonly id: string;
  /** Everything but /health/*: answers it. */
  serve: (request: IncomingMessage, response: ServerResponse) => void;
  /** The status of /health/ready; 404: it has no such page. */
  ready: number;
  /** Whether it says that it decides by the newest placements. */
  applies: boolean;
  /** Whether a token is taken. */
  admits: (token: string | undefined) => boolean;
  /** How many seconds its clock is ahead, by what it says. */
  ahead: number;
  /** Takes no connections, and takes them again on the same port; it beats all the while. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
}

/** @param control the internal port of the monolith. @param speaks the words of placement that it knows; absent: as of before. */
export async function startForeign(
  contract: Contract,
  control: string,
  installation: Installation,
  number = 1,
  speaks?: readonly string[],
): Promise<Foreign> {
  const { module } = contract;
  const id = `${module}-${number}`;
  const tokens = await tokensAs(installation, module);
  const server = createServer((request, response) => {
    const { url, headers } = request;
    if (foreign.ahead !== 0)
      response.setHeader('date', new Date(Date.now() + foreign.ahead * 1_000).toUTCString());
    if (url === '/health/ready') response.writeHead(foreign.ready).end();
    else if (!foreign.admits(headers['x-internal-token'] as string | undefined))
      response.writeHead(401).end();
    else foreign.serve(request, response);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  let leave = async () => {};
  const pause = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  const foreign: Foreign & { url: string } = {
    url: '',
    id,
    serve: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"items":[],"nextCursor":null}');
    },
    ready: 404,
    applies: true,
    admits: () => true,
    ahead: 0,
    pause,
    resume: () => listen(Number(new URL(foreign.url).port)),
    async close() {
      await leave();
      await pause();
    },
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  foreign.url = `http://127.0.0.1:${port}`;
  const host = randomUUID();
  const self = {
    ...{ host, id, role: 'service', modules: [module], url: foreign.url, doors: ['http'] },
    process: identify(process.pid)!,
    contracts: { [module]: canonicalContract(contract) },
  };
  let version = 0;
  let known = false;
  let stopped = false;
  const sync = async (body: object) => {
    const response = await fetch(`${control}/control/sync`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await tokens.mint('control')}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify(body),
    });
    if (response.status !== 200) throw new Error(await response.text());
    return (await response.json()) as { known: boolean; tag: string; snapshot?: { version: number } };
  };
  let tag = '';
  const beat = async () => {
    const load = { ready: true, draining: false, inflight: {}, busy: {} };
    const answer = await sync({
      tag,
      waitMs: known ? 500 : 0,
      ...(speaks && { speaks }),
      ...(known ? {} : { register: self }),
      beat: { ...load, host, appliedVersion: foreign.applies ? version : 0 },
    });
    ({ known, tag } = answer);
    version = answer.snapshot?.version ?? version;
  };
  await beat();
  const beating = (async () => {
    while (!stopped) await beat().catch(() => {});
  })();

  leave = async () => {
    stopped = true;
    await beating;
    await sync({ tag, waitMs: 0, leave: host }).catch(() => {});
  };
  return foreign;
}
