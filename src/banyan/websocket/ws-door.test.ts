// Who is let in by the WebSocket door, and what it answers to those who send it something else than calls.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import WebSocket from 'ws';
import type { Message } from '../calls/frames.ts';
import { createGreeter, type Greeter, INTERNAL_KEY, type Told } from '../calls/peer.fixture.ts';
import { generateSigningKey } from '../identity/keys.ts';
import { rightsOf, servicesOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import { createRights } from '../identity/rights.ts';
import { createSessionSigner } from '../identity/session-token.ts';
import type { SecurityEvent } from '../telemetry/security-log.ts';
import { attachWsDoor, type WsDoor, type WsDoorOptions } from './ws-door.ts';

const tokens = tokensOf(INTERNAL_KEY, 'monolith');
let server: Server;
let door: WsDoor;
let home: Greeter;
let told: Told[];
let logged: string[];

beforeEach(async () => {
  told = [];
  logged = [];
  home = createGreeter('greeter-1', (one) => told.push(one));
  server = createServer();
  door = doorOf(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

function doorOf(server: Server, own: Partial<WsDoorOptions> = {}): WsDoor {
  return attachWsDoor({
    server,
    verify: (token) => tokens.verify(token, 'greeter'),
    rights: rightsOf(INTERNAL_KEY),
    dispatchers: new Map([['greeter', home.dispatcher]]),
    maxPayload: 64 * 1024,
    log: { error: (...all: unknown[]) => logged.push(JSON.stringify(all)), warn: () => undefined } as never,
    ...own,
  });
}

afterEach(async () => {
  vi.useRealTimers();
  await door.close();
  server.closeAllConnections();
  server.close();
});

const port = () => (server.address() as AddressInfo).port;

/** Everything the server says to a handshake, until it hangs up (or has said 101). */
async function handshake(headers: Record<string, string | undefined>, path = '/calls'): Promise<string> {
  const socket = connect(port(), '127.0.0.1');
  const all = {
    Host: 'x',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  let answer = '';
  for await (const chunk of socket) {
    answer += String(chunk);
    if (answer.startsWith('HTTP/1.1 101')) break;
  }
  return answer;
}

async function bearer(audience = 'greeter', of = tokens): Promise<{ Authorization: string }> {
  return { Authorization: `Bearer ${await of.mint(audience)}` };
}

class Wire {
  readonly ws: WebSocket;
  readonly messages: Message[] = [];

  static async open(of = tokens): Promise<Wire> {
    const headers = await bearer('greeter', of);
    const wire = new Wire(new WebSocket(`ws://127.0.0.1:${port()}/calls`, { headers }));
    await once(wire.ws, 'open');
    return wire;
  }

  constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('message', (data) => {
      const frame = JSON.parse(String(data));
      this.messages.push(...(Array.isArray(frame) ? frame : [frame]));
    });
    ws.on('error', () => undefined);
  }

  send(...frames: unknown[]): void {
    for (const frame of frames) this.ws.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  async answers(count: number): Promise<Message[]> {
    while (this.messages.length < count) await once(this.ws, 'message');
    return this.messages;
  }
}

const call = (id: unknown, operation: string, input: unknown, rest: object = {}) => ({
  jsonrpc: '2.0',
  id,
  method: `greeter.${operation}`,
  params: { input, ...rest },
});

describe('a service that is let in', () => {
  const media = { keys: [], modules: ['media'], uses: [] as string[] };
  const reopened = async (uses: string[], own: Partial<WsDoorOptions> = {}) => {
    await door.close();
    server.removeAllListeners('upgrade');
    door = doorOf(server, { rights: rightsOf(INTERNAL_KEY, { media: { ...media, uses } }), ...own });
    return Wire.open(tokensOf(INTERNAL_KEY, 'media'));
  };
  const refusal = (reason: string) => ({ error: { data: { status: 403, reason } } });

  it('calls the modules that its own name, and no others; each refusal is in the security log', async () => {
    const told: SecurityEvent[] = [];
    const other = await reopened([], { security: { write: (event) => void told.push(event) } });
    other.send(call(1, 'greet', { name: 'a' }));
    expect((await other.answers(1))[0]).toMatchObject(refusal('call-not-allowed'));
    expect(told).toMatchObject([{ event: 'service.refused', actor: { kind: 'service', name: 'media' } }]);
    const user = await reopened(['greeter']);
    user.send(call(1, 'greet', { name: 'a' }));
    expect((await user.answers(1))[0]).toMatchObject({ result: { text: expect.any(String) } });
  });

  it('asks in no name but its own, and never for a client', async () => {
    const wire = await reopened(['greeter']);
    wire.send(call(1, 'context', {}, { caller: 'orders' }), call(2, 'context', {}, { caller: 'monolith' }));
    wire.send(
      { ...call(3, 'greet', { name: 'a' }), method: 'client:greeter.context' },
      call(4, 'context', {}),
    );
    const answers = new Map((await wire.answers(4)).map((one) => [one.id, one]));
    for (const id of [1, 2]) expect(answers.get(id)).toMatchObject(refusal('not-yours'));
    expect(answers.get(3)).toHaveProperty('error');
    expect(answers.get(4)).toMatchObject({ result: { principal: { kind: 'module', name: 'media' } } });
  });

  it('says that a call is part of a replay where a monolith announced one, and else is refused', async () => {
    const event = { id: randomUUID(), correlationId: 'chain', replay: true };
    const told: SecurityEvent[] = [];
    const known = servicesOf(INTERNAL_KEY);
    const replays: Record<string, number> = { users: Date.now() + 60_000, media: Date.now() - 120_000 };
    const rights = createRights(
      () => known,
      () => replays,
    );
    const wire = await reopened(['greeter'], { rights, security: { write: (one) => void told.push(one) } });
    wire.send(
      call(1, 'context', {}, { event }),
      call(2, 'context', {}, { event: { ...event, replay: false } }),
    );
    const answers = (await wire.answers(2)).toSorted((a, b) => Number(a.id) - Number(b.id));
    expect(answers).toMatchObject([refusal('no-replay'), { result: { event: { replay: false } } }]);
    expect(told).toMatchObject([{ event: 'service.refused', target: 'greeter.context' }]);
    replays.media = Date.now() + 60_000;
    wire.send(call(3, 'context', {}, { event }));
    expect((await wire.answers(3))[2]).toMatchObject({ result: { event } });
    const monolith = await Wire.open();
    monolith.send(call(1, 'context', {}, { event, caller: 'orders' }));
    expect((await monolith.answers(1))[0]).toMatchObject({ result: { event } });
  });

  it('is let go when its key is not known any more, once it has its answers', async () => {
    const wire = await reopened(['greeter']);
    wire.send(call(1, 'wait', { tag: 'slow' }));
    await vi.waitFor(() => expect(told).toContainEqual({ begun: 'slow' }));
    const closed = once(wire.ws, 'close');
    door.review(({ caller }) => caller !== 'media');
    home.answer('slow');
    const [code] = await closed;
    expect([code, wire.messages.at(-1)]).toEqual([4001, expect.objectContaining({ id: 1 })]);
    await expect.poll(() => door.connections).toBe(0);
  });
});

describe('the handshake', () => {
  it('lets in who brings a token for this service', async () => {
    expect(await handshake(await bearer())).toMatch(/^HTTP\/1\.1 101 /);
    await vi.waitFor(() => expect(door.connections).toBe(0));
  });

  it('answers 401 before 101 to everybody else, and hangs up', async () => {
    const stranger = tokensOf('another key of some length', 'monolith');
    const session = await createSessionSigner(generateSigningKey()).sign({
      id: 'u',
      role: 'admin',
      epoch: 0,
    });
    const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${Buffer.from(
      '{"iss":"banyan:internal","aud":"greeter","caller":"monolith","exp":9999999999}',
    ).toString('base64url')}.`;
    const raw = await new SignJWT({ caller: 'monolith' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuer('banyan:internal')
      .setAudience('greeter')
      .setExpirationTime('5m')
      .sign(Buffer.from(INTERNAL_KEY));
    const refused: Record<string, string | undefined>[] = [
      {},
      { Authorization: '' },
      { Authorization: 'Bearer' },
      { Authorization: 'Basic YTpi' },
      { Authorization: 'Bearer x.y.z' },
      { Authorization: `Bearer ${unsigned}` },
      { Authorization: `Bearer ${raw}` },
      { Authorization: `Bearer ${session.token}` },
      await bearer('greeter', stranger),
      await bearer('catalog'),
      await bearer('control'),
      { Cookie: 'token=x', 'X-Internal-Token': await tokens.mint('greeter') },
    ];
    for (const headers of refused) {
      const answer = await handshake(headers);
      expect(answer).toMatch(/^HTTP\/1\.1 401 /);
      expect(answer).toMatch(/content-type: application\/problem\+json/i);
      const body = JSON.parse(answer.split('\r\n\r\n')[1]!) as object;
      expect(body).toMatchObject({ status: 401, code: 'unauthenticated', detail: expect.any(String) });
    }
    expect(door.connections).toBe(0);
  });

  it('says that a token has expired', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const headers = await bearer('greeter', tokensOf(INTERNAL_KEY, 'monolith'));
    vi.setSystemTime(Date.now() + 6 * 60_000);
    expect(await handshake(headers)).toMatch(/^HTTP\/1\.1 401 .*expired/s);
  });

  it('is taken at one path, and for one protocol', async () => {
    for (const path of [
      '/',
      '/calls/',
      '/calls?x=1',
      '//calls',
      '/calls/greeter/greet',
      '/api/calls',
      '/%63alls',
    ])
      expect(await handshake(await bearer(), path), path).toMatch(/^HTTP\/1\.1 404 /);
    expect(await handshake({ ...(await bearer()), 'Sec-WebSocket-Key': 'short' })).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    expect(await handshake({ ...(await bearer()), Upgrade: 'h2c' })).toMatch(/^HTTP\/1\.1 400 /);
    expect(door.connections).toBe(0);
  });

  it('is over when the host shuts down', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'wait', { tag: 'slow' }));
    await vi.waitFor(() => expect(told).toContainEqual({ begun: 'slow' }));
    const drained = door.drain(10_000);
    expect(await handshake(await bearer())).toMatch(/^HTTP\/1\.1 503 /);
    wire.send(call(2, 'greet', { name: 'late' }));
    expect(await wire.answers(2)).toMatchObject([
      { method: 'closing' },
      { id: 2, error: { code: -32001, data: { status: 503 } } },
    ]);
    const closed = once(wire.ws, 'close');
    home.answer('slow');
    expect((await closed)[0]).toBe(4001);
    expect(wire.messages[2]).toMatchObject({ id: 1, result: { tag: 'slow' } });
    await drained;
  });
});

describe('a connection', () => {
  it('answers calls, one or many to a frame, with the id they came with', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'greet', { name: 'Anna' }), [
      call('two', 'greet', { name: 'Ben' }),
      call('"3\\', 'greet', { name: 'Cleo' }),
    ]);
    const answers = await wire.answers(3);
    expect(answers).toEqual([
      { jsonrpc: '2.0', id: 1, result: { text: 'Anna from greeter-1' } },
      { jsonrpc: '2.0', id: 'two', result: { text: 'Ben from greeter-1' } },
      { jsonrpc: '2.0', id: '"3\\', result: { text: 'Cleo from greeter-1' } },
    ]);
  });

  it('runs no two calls of one id at once, so that none escapes the count of those that run', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'wait', { tag: 'first' }));
    await vi.waitFor(() => expect(told).toContainEqual({ begun: 'first' }));
    wire.send(call(1, 'wait', { tag: 'second' }));
    expect(await wire.answers(1)).toMatchObject([{ id: 1, error: { code: -32600 } }]);
    expect([door.inflight, told]).toEqual([1, [{ begun: 'first' }]]);
    home.answer('first');
    expect((await wire.answers(2))[1]).toMatchObject({ id: 1, result: { tag: 'first' } });
  });

  it('takes the caller from the token where the frame names none', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'context', {}), call(2, 'context', {}, { caller: 'orders', traceparent: 'nonsense' }));
    expect(await wire.answers(2)).toMatchObject([
      { result: { principal: { kind: 'module', name: 'monolith' } } },
      {
        result: {
          principal: { kind: 'module', name: 'orders' },
          traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
        },
      },
    ]);
  });

  it('takes of the event that is being handled what names one, and nothing else', async () => {
    const wire = await Wire.open();
    const good = { id: randomUUID(), correlationId: 'the order of "Ana"', replay: false };
    const wrong = [
      null,
      'x',
      [],
      {},
      { ...good, id: 'x' },
      { ...good, correlationId: 'x'.repeat(201) },
      { ...good, correlationId: 'two\nlines' },
      { ...good, correlationId: 7 },
      { ...good, replay: 'true' },
    ];
    wire.send(...wrong.map((event, n) => call(n, 'context', {}, { event })));
    expect((await wire.answers(wrong.length)).map(({ error }) => error)).toEqual(
      wrong.map(() => ({ code: -32600, message: expect.stringContaining('params.event must be') })),
    );
    wire.messages.length = 0;
    wire.send(call(99, 'context', {}, { event: { ...good, more: 'x' } }));
    expect((await wire.answers(1))[0]).toMatchObject({ result: { event: good } });
    expect(JSON.stringify(wire.messages)).not.toContain('more');
  });

  it('bears a trace and a time that are none, and gives no call longer than any request has', async () => {
    await door.close();
    server.removeAllListeners('upgrade');
    const seen: unknown[] = [];
    door = doorOf(server, { observe: { active: true, ended: (one) => void seen.push(one.parent) } });
    const wire = await Wire.open();
    wire.send(
      call(1, 'context', {}, { traceparent: 5, deadlineMs: 1e15 }),
      call(2, 'context', {}, { deadlineMs: 'x' }),
    );
    const left = (await wire.answers(2)).map(({ result }) => (result as { left: number }).left);
    expect(Math.max(...left)).toBeLessThanOrEqual(15_000);
    expect(Math.min(...left)).toBeGreaterThan(4_000);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('begins of one frame no more than may run, the rest when there is room, and of too many none', async () => {
    const wire = await Wire.open();
    const frame = (from: number, count: number) =>
      JSON.stringify(
        Array.from({ length: count }, (_, n) => ({
          id: from + n,
          method: 'greeter.wait',
          params: { input: { tag: `${from + n}` } },
        })),
      );
    wire.send(frame(0, 700), frame(700, 700));
    await vi.waitFor(() => expect(told.length).toBe(1024));
    expect(door.inflight).toBe(1024);
    for (let n = 0; n < 1400; n += 1) {
      await vi.waitFor(() => expect(told.length).toBeGreaterThan(n), { interval: 1 });
      home.answer(`${n}`);
    }
    await wire.answers(1400);
    expect(told.map((one) => 'begun' in one && Number(one.begun))).toEqual(
      Array.from({ length: 1400 }, (_, n) => n),
    );
    wire.send(`[${Array(4097).fill('0').join()}]`);
    expect((await wire.answers(1401))[1400]).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it('says what is wrong with what is no call, and goes on', async () => {
    const wire = await Wire.open();
    wire.send('{"jsonrpc', '', 'null', '[1,null]', { id: 7 }, { id: 8, method: 'greeter.greet' });
    wire.send({ method: 'cancel', params: { id: 99 } }, { method: 'nonsense', params: {} });
    wire.send(call(9, 'nothing', {}), { id: 10, method: 'catalog.greet', params: {} });
    wire.send(call(11, 'greet', { name: 'still there' }));
    const answers = await wire.answers(10);
    expect(answers.map(({ id, error }) => [id, (error as { code: number } | undefined)?.code])).toEqual([
      [null, -32700],
      [null, -32700],
      [null, -32600],
      [null, -32600],
      [null, -32600],
      [7, -32600],
      [8, -32600],
      [9, -32601],
      [10, -32601],
      [11, undefined],
    ]);
    expect(answers[7]!.error).toMatchObject({ data: { status: 404, code: 'not-found' } });
    expect(logged).toEqual([]);
  });

  it('refuses what is nested past any schema, and goes on', async () => {
    const wire = await Wire.open();
    const deep = `${'['.repeat(6_000)}${']'.repeat(6_000)}`;
    const framed = JSON.stringify(call(1, 'greet', { name: 'HERE' })).replace('"HERE"', deep);
    wire.send(framed, `[${framed.replace('"id":1', '"id":2')}]`, deep, call(3, 'greet', { name: 'Ada' }));
    const answers = await wire.answers(4);
    const of = (id: number) => answers.find((one) => one.id === id);
    for (const id of [1, 2])
      expect(of(id)).toMatchObject({
        error: { data: { status: 422, errors: [{ path: '/name', message: 'must be string' }] } },
      });
    expect(of(3)).toMatchObject({ result: { text: expect.stringContaining('Ada') } });
    expect(logged).toEqual([]);
  });

  it('is closed for a frame that is too large, and for one that is not masked', async () => {
    const large = await Wire.open();
    large.send(call(1, 'look', { tag: 'x'.repeat(70_000) }));
    expect((await once(large.ws, 'close'))[0]).toBe(1009);
    const bare = connect(port(), '127.0.0.1');
    const { Authorization } = await bearer();
    bare.write(
      `GET /calls HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: ${Authorization}\r\n\r\n`,
    );
    await once(bare, 'data');
    bare.write(Buffer.from([0x81, 0x02, 0x7b, 0x7d]));
    bare.resume();
    await once(bare, 'end');
    bare.destroy();
    await vi.waitFor(() => expect(door.connections).toBe(0));
  });

  it('without a byte either way for a while is cut off; one that pings is not', async () => {
    const silenceMs = 2_000;
    server.removeAllListeners('upgrade');
    await door.close();
    door = doorOf(server, { silenceMs });
    const [pinging, mute] = [await Wire.open(), await Wire.open()];
    const pings = setInterval(() => pinging.ws.ping(), 100);
    const began = performance.now();
    // Nothing was said before it: no frame of WebSocket, only the end of the connection.
    expect((await once(mute.ws, 'close'))[0]).toBe(1006);
    expect(performance.now() - began).toBeGreaterThan(silenceMs * 0.9);
    pinging.send(call(1, 'greet', { name: 'Ada' }));
    expect(await pinging.answers(1)).toHaveLength(1);
    clearInterval(pings);
    expect(door.connections).toBe(1);
  });

  it('cancels what it began when the caller says so, and all of it when the caller is gone', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'look', { tag: 'one' }), call(2, 'look', { tag: 'two' }), {
      method: 'cancel',
      params: { id: 1 },
    });
    await vi.waitFor(() => expect(told).toContainEqual({ cancelled: 'one' }));
    expect(told).not.toContainEqual({ cancelled: 'two' });
    wire.ws.terminate();
    await vi.waitFor(() => expect(told).toContainEqual({ cancelled: 'two' }));
  });

  it('tells the handler when the time is over that the caller gave', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'look', { tag: 'brief' }, { deadlineMs: 20 }));
    await vi.waitFor(() => expect(told).toContainEqual({ cancelled: 'brief' }));
  });

  it('reads no further while too many calls run, and goes on when they are answered', async () => {
    const wire = await Wire.open();
    const many = 3000;
    for (let i = 0; i < many; i += 1) wire.send(call(i, 'wait', { tag: `t${i}` }));
    // The one past the bound shows only when the door reads it.
    await vi.waitFor(() => expect(door.inflight).toBeGreaterThanOrEqual(1024));
    wire.ws.ping();
    const pong = once(wire.ws, 'pong');
    let most = 0;
    for (let i = 0; i < many; i += 1) {
      await vi.waitFor(() => expect(told.length).toBeGreaterThan(i), { interval: 1 });
      most = Math.max(most, door.inflight);
      home.answer(`t${i}`);
    }
    // One more read of the socket is already under way when it stops: 64 kB, some 700 calls.
    expect(most).toBeLessThan(2000);
    await pong;
    expect(await wire.answers(many)).toHaveLength(many);
    expect(door.inflight).toBe(0);
  });

  it('reads no further while its answers are not read, and goes on when they are', async () => {
    const sockets: Socket[] = [];
    server.on('connection', (socket) => sockets.push(socket));
    const wire = await Wire.open();
    wire.ws.pause();
    const many = 2000;
    for (let i = 0; i < many; i += 1) wire.send(call(i, 'repeat', { letters: 'x', times: 60_000 }));
    await vi.waitFor(() => expect(sockets[0]!.isPaused()).toBe(true), 10_000);
    // 120 MB were asked for; what waits are the answers to what one read of the socket brought.
    expect(sockets[0]!.writableLength).toBeLessThan(60 * 1024 * 1024);
    wire.ws.resume();
    expect(await wire.answers(many)).toHaveLength(many);
    expect(sockets[0]!.isPaused()).toBe(false);
  });

  it('logs what failed inside, and tells the caller nothing of it', async () => {
    const wire = await Wire.open();
    wire.send(call(1, 'take', { how: 'error' }));
    const [answer] = await wire.answers(1);
    expect(answer).toMatchObject({ error: { code: -32000, data: { status: 500, code: 'internal' } } });
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(logged).toHaveLength(1);
  });
});
