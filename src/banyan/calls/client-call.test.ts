// What a gateway asks for a client over the calls connection: with the client's rights, never with those of a module.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { Call } from '../context/call.ts';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { libraryProblem, ModuleUnavailable, type Problem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import { rightsOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import type { Door } from '../routing/snapshot.ts';
import { attachWsDoor } from '../websocket/ws-door.ts';
import { createDispatcher } from './dispatcher.ts';
import { AskByHttp } from './far-call.ts';
import { INTERNAL_KEY } from './peer.fixture.ts';
import { instanceAt, WrittenPlacements } from './peers.fixture.ts';
import { createRemote } from './remote.ts';

const get = (path: string) => ({ method: 'GET' as const, path });
const common = { summary: 'x', input: nothing, output: Type.Unknown(), idempotent: true };
const greeter = defineContract('greeter', {
  summary: 'What the tests call',
  operations: {
    shown: operation({ ...common, access: 'public', http: get('/api/greeter/shown') }),
    mine: operation({ ...common, access: 'session', http: get('/api/greeter/mine') }),
    unrouted: operation({ ...common, access: 'public' }),
    named: operation({
      ...common,
      access: 'public',
      http: get('/api/greeter/:name'),
      input: closed({ name: Type.String({ maxLength: 3 }) }),
    }),
  },
});

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const anna = { kind: 'user', id: 'anna', role: 'customer' } as const;

/** Knows `known` at once, and `new` from the second time on; everything else is forged. */
function bearers(): VerifyBearer {
  const known = new Set(['known']);
  return (token) => {
    if (known.has(token)) return anna as never;
    if (token !== 'new') throw libraryProblem('unauthenticated', { detail: 'forged' });
    known.add('new');
    return Promise.resolve(anna) as never;
  };
}

async function peer(verifyBearer: VerifyBearer | undefined, doors: Door[] = ['ws', 'http']) {
  const begun: string[] = [];
  const who = async (_input: unknown, { principal, deadline }: Call) => {
    begun.push(principal.kind);
    return { principal, left: deadline - Date.now() };
  };
  const handlers = Object.fromEntries(Object.keys(greeter.operations).map((name) => [name, who]));
  const server = createServer();
  const tokens = tokensOf(INTERNAL_KEY, 'monolith');
  const door = attachWsDoor({
    server,
    verify: (token) => tokens.verify(token, 'greeter'),
    rights: rightsOf(INTERNAL_KEY),
    ...(verifyBearer ? { verifyBearer } : {}),
    dispatchers: new Map([['greeter', createDispatcher(greeter, handlers, { codec: true })]]),
    log: { error: () => undefined, warn: () => undefined },
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const placements = new WrittenPlacements([instanceAt('greeter-1', port, 1, doors)]);
  const outcomes: string[] = [];
  const observer = {
    onCall: (_m: string, _o: string, _ms: number, outcome: string) => outcomes.push(outcome),
  };
  const remote = createRemote({ placements, tokens, log: { warn: () => undefined }, observer });
  closing.push(
    () => remote.close(),
    () => door.close(),
    () => server.close(),
  );
  const ask = (operation: string, authorization?: string, input: object = {}) =>
    new Promise<{ error: unknown; output: unknown; servedBy: string }>((resolve) => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      const client = { authorization, deadline: Date.now() + 15_000, traceparent, side: 'service' as const };
      remote.forClient(greeter, operation, input, client, (error, output, servedBy) =>
        resolve({ error, output, servedBy }),
      );
    });
  return { ask, begun, outcomes };
}

describe('a call for a client', () => {
  it('without credentials is that of a stranger, answered by whom it says', async () => {
    const { ask, outcomes } = await peer(bearers());
    const { output, servedBy } = await ask('shown');
    expect(output).toMatchObject({ principal: { kind: 'anonymous' } });
    expect((output as { left: number }).left).toBeGreaterThan(14_000);
    expect(servedBy).toBe('greeter-1');
    expect(outcomes).toEqual(['ok']);
  });

  it('has the rights of its token, verified where it arrives', async () => {
    const { ask } = await peer(bearers());
    expect((await ask('mine', 'Bearer known')).output).toMatchObject({ principal: anna });
    expect(((await ask('mine')).error as Problem).status).toBe(401);
    const forged = await ask('shown', 'Bearer forged');
    expect((forged.error as Problem).body).toMatchObject({ status: 401, detail: 'forged' });
    expect(forged.servedBy).toBe('greeter-1');
  });

  it('is wanted by HTTP while its token is new there, and nothing is begun', async () => {
    const { ask, begun, outcomes } = await peer(bearers());
    expect((await ask('mine', 'Bearer new')).error).toBeInstanceOf(AskByHttp);
    expect(begun).toEqual([]);
    expect(outcomes).toEqual(['by-http']);
    expect((await ask('mine', 'Bearer new')).output).toMatchObject({ principal: anna });
  });

  it('is validated there', async () => {
    const { ask, begun } = await peer(bearers());
    expect((await ask('named', undefined, { name: 'four' })).error).toMatchObject({ status: 422 });
    expect(begun).toEqual([]);
  });

  it.each([
    ['has no route', bearers(), 'unrouted', undefined],
    ['is asked of a door that knows modules alone', undefined, 'shown', undefined],
    ['brings something that is no token', bearers(), 'shown', 'Basic YTpi'],
  ])('that %s is wanted by HTTP', async (_, verify, operation, authorization) => {
    const { ask, begun } = await peer(verify, ['ws', 'http']);
    expect((await ask(operation, authorization)).error).toBeInstanceOf(AskByHttp);
    expect(begun).toEqual([]);
  });

  it('never goes to a process that offers HTTP alone: there it would be a module', async () => {
    const { ask, begun } = await peer(bearers(), ['http']);
    expect((await ask('shown')).error).toBeInstanceOf(ModuleUnavailable);
    expect(begun).toEqual([]);
  });
});
