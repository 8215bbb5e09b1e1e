// Peers that answer strangely, that refuse, and that offer HTTP alone: the links keep their promises with all of them.
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocketServer } from 'ws';
import { withFlow } from '../context/call.ts';
import type { Problem } from '../contract/problem.ts';
import { jsonBodies } from '../http/body.ts';
import { moduleCalls } from '../http/module-calls.ts';
import { answerWithProblems } from '../http/problems.ts';
import { traceRequests } from '../http/traced.ts';
import { rightsOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import type { Door } from '../routing/snapshot.ts';
import type { Message } from './frames.ts';
import { createGreeter, greeter, INTERNAL_KEY } from './peer.fixture.ts';
import { instanceAt, WrittenPlacements } from './peers.fixture.ts';
import { createRef } from './ref.ts';
import { createRemote } from './remote.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
});

function callerOf(port: number, doors: Door[]) {
  const placements = new WrittenPlacements([instanceAt('greeter-1', port, 1, doors)]);
  const warned: string[] = [];
  const remote = createRemote({
    placements,
    tokens: tokensOf(INTERNAL_KEY, 'monolith'),
    log: { warn: (_: unknown, message: string) => warned.push(message) } as never,
    maxPayload: 100_000,
  });
  closing.push(() => remote.close());
  const ref = createRef(greeter, { caller: 'orders', local: undefined, remote, placements, strict: true });
  return { ref, remote, warned, placements };
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

const problemOf = (call: Promise<unknown>) =>
  call.then(
    () => {
      throw new Error('it was answered');
    },
    (error: Problem) => error,
  );

const within = <T>(ms: number, work: () => T, signal?: AbortSignal): T =>
  withFlow(
    {
      deadline: Date.now() + ms,
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      signal,
    },
    work,
  );

describe('a peer on a WebSocket that answers', () => {
  /** Answers each call with the texts that the test makes of it. */
  async function odd(answers: (call: Message) => string[]) {
    const server = createServer();
    const wss = new WebSocketServer({ server, path: '/calls' });
    wss.on('connection', (ws) => {
      ws.on('message', (data) => {
        const frame = JSON.parse(String(data)) as Message | Message[];
        for (const call of [frame].flat()) for (const text of answers(call)) ws.send(text);
      });
    });
    closing.push(() => {
      for (const ws of wss.clients) ws.terminate();
    });
    return callerOf(await listen(server), ['ws', 'http']);
  }
  const fine = ({ id }: Message) => JSON.stringify({ jsonrpc: '2.0', id, result: { text: 'fine' } });

  it('something that is not JSON is cut off, and its calls are lost', async () => {
    const { ref, warned } = await odd(() => ['<html>']);
    expect((await problemOf(ref.create({ tag: 'x' }))).code).toBe('unavailable');
    expect(warned).toHaveLength(1);
  });

  it('something that nobody asked for is passed over', async () => {
    const { ref, warned } = await odd((call) => [
      '{"jsonrpc":"2.0","id":4711,"result":1}',
      '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}',
      '{"jsonrpc":"2.0","method":"party","params":{}}',
      'null',
      '[]',
      '7',
      fine(call),
      fine(call),
    ]);
    expect(await ref.greet({ name: 'x' })).toEqual({ text: 'fine' });
    expect(await ref.greet({ name: 'x' })).toEqual({ text: 'fine' });
    expect(warned.length).toBeGreaterThan(0);
  });

  it('neither a result nor a problem is a bad answer to that call alone', async () => {
    const wrong = [
      {},
      { error: null },
      { error: { code: 1 } },
      { error: 'no' },
      { error: { data: { title: 'x' } } },
    ];
    const { ref } = await odd((call) => {
      const answer = wrong.pop();
      return [answer ? JSON.stringify({ jsonrpc: '2.0', id: call.id, ...answer }) : fine(call)];
    });
    const calls = wrong.map(() => problemOf(ref.greet({ name: 'x' })));
    for (const call of calls) expect(await call).toMatchObject({ code: 'bad-gateway', status: 502 });
    expect(await ref.greet({ name: 'x' })).toEqual({ text: 'fine' });
  });

  it('more than a frame may hold is cut off', async () => {
    const { ref } = await odd(() => [`"${'x'.repeat(200_000)}"`]);
    const { code, message } = await problemOf(ref.create({ tag: 'x' }));
    expect([code, message]).toEqual(['unavailable', expect.stringMatching(/payload/i)]);
  });

  it('nothing, because it does not read, is given no more than a bounded amount', async () => {
    const server = createServer();
    const wss = new WebSocketServer({ server, path: '/calls' });
    wss.on('connection', (ws) => ws.pause());
    closing.push(() => {
      for (const ws of wss.clients) ws.terminate();
    });
    const { ref, remote } = callerOf(await listen(server), ['ws']);
    const ends: Promise<Problem>[] = [];
    for (let i = 0; i < 400; i += 1) {
      ends.push(problemOf(ref.create({ tag: 'x'.repeat(99_000) })));
      // A turn of the event loop, so that each is written on its own.
      await new Promise(setImmediate);
    }
    expect(await Promise.race(ends)).toMatchObject({ code: 'unavailable', nothingSent: true });
    expect(remote.inflight('greeter')).toBeLessThan(350);
    await remote.close();
    expect((await Promise.all(ends)).every(({ code }) => code === 'unavailable')).toBe(true);
  });

  it('nothing at all costs no more than the deadline', async () => {
    const { ref } = await odd(() => []);
    expect((await problemOf(within(50, () => ref.greet({ name: 'x' })))).code).toBe('deadline-exceeded');
  });
});

describe('a peer on a WebSocket', () => {
  /** Greets whoever asks, and keeps the frames that came. */
  async function keeper() {
    const frames: string[] = [];
    const server = createServer();
    const wss = new WebSocketServer({ server, path: '/calls' });
    wss.on('connection', (ws) => {
      ws.on('message', (data) => {
        frames.push(String(data));
        const calls = [JSON.parse(String(data)) as Message | Message[]].flat();
        for (const { id } of calls) ws.send(JSON.stringify({ jsonrpc: '2.0', id, result: { text: 'fine' } }));
      });
    });
    closing.push(() => {
      for (const ws of wss.clients) ws.terminate();
    });
    const { ref } = callerOf(await listen(server), ['ws']);
    await ref.greet({ name: 'who opens the connection' });
    frames.length = 0;
    return { ref, frames };
  }
  const callsIn = (frame: string) => [JSON.parse(frame) as Message | Message[]].flat().length;

  it('gets the calls of one turn of the event loop in one frame, but for the first, which does not wait', async () => {
    const { ref, frames } = await keeper();
    const names = Array.from({ length: 64 }, (_, n) => `name ${n}`);
    await Promise.all(names.map((name) => ref.greet({ name })));
    expect(frames.map(callsIn)).toEqual([1, 63]);
  });

  it('gets no frame above 64 kB, unless one call alone is larger', async () => {
    const { ref, frames } = await keeper();
    const sizes = [10, 20_000, 20_000, 20_000, 20_000, 90_000, 20_000];
    await Promise.all(sizes.map((size) => ref.create({ tag: 'x'.repeat(size) })));
    expect(frames.map(callsIn)).toEqual([1, 3, 1, 1, 1]);
    expect(frames.filter((frame) => callsIn(frame) > 1 && frame.length > 64 * 1024 + 100)).toEqual([]);
  });

  it('that refuses the connection is left alone for a while, and nobody waits for it', async () => {
    // Time stands still until the test says otherwise.
    vi.useFakeTimers({ toFake: ['Date'] });
    const server = createServer();
    let refused = 0;
    server.on('upgrade', (_request, socket) => {
      refused += 1;
      socket.end('HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n\r\n');
    });
    const { ref } = callerOf(await listen(server), ['ws']);
    const ask = async () =>
      expect(await problemOf(ref.create({ tag: 'x' }))).toMatchObject({
        code: 'unavailable',
        nothingSent: true,
      });
    for (const waits of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000]) {
      await ask();
      const before = refused;
      vi.advanceTimersByTime(waits * 0.75 - 1);
      await ask();
      await ask();
      expect(refused, `after ${waits} ms`).toBe(before);
      vi.advanceTimersByTime(waits * 0.5 + 2);
    }
    expect(refused).toBe(8);
  });
});

describe('a peer that offers HTTP alone', () => {
  it('is the same dispatcher behind the internal port', async () => {
    const { dispatcher } = createGreeter('greeter-1', () => undefined);
    const app = Fastify();
    jsonBodies(app);
    traceRequests(app);
    answerWithProblems(app);
    moduleCalls(
      app,
      new Map([['greeter', dispatcher]]),
      () => ({ caller: 'monolith', kid: undefined }),
      rightsOf(INTERNAL_KEY),
    );
    await app.listen({ port: 0, host: '127.0.0.1' });
    closing.push(() => app.close());
    const { ref } = callerOf((app.server.address() as AddressInfo).port, ['http']);
    expect(await ref.greet({ name: 'Anna' })).toEqual({ text: 'Anna from greeter-1' });
    expect(await problemOf(ref.greet({ name: '' }))).toMatchObject({ status: 422 });
    expect(await problemOf(ref.forAdmins({}))).toMatchObject({ status: 403 });
    expect(await problemOf(ref.take({ how: 'error' }))).toMatchObject({ status: 500, code: 'internal' });
    expect(await problemOf(ref.take({ how: 'problem' }))).toMatchObject({
      status: 409,
      code: 'name-taken',
      retryAfter: 3,
      body: { by: 'anna', detail: 'by another' },
    });
    const context = (await within(800, () => ref.context({}))) as Record<string, never>;
    expect(context.left).toBeLessThanOrEqual(790);
    expect(context.traceparent).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)/);
  });

  async function odd(listener: RequestListener) {
    return callerOf(await listen(createServer(listener)), ['http']);
  }

  it('is told all that a call carries', async () => {
    let seen: { url?: string; headers?: IncomingHttpHeaders; body?: string } = {};
    const { ref } = await odd((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        seen = { url: request.url, headers: request.headers, body };
        response.end('{"text":"fine"}');
      });
    });
    expect(await within(1000, () => ref.greet({ name: 'Zoë' }))).toEqual({ text: 'fine' });
    expect(seen).toMatchObject({
      url: '/calls/greeter/greet',
      body: '{"name":"Zoë"}',
      headers: {
        'content-type': 'application/json',
        'x-caller': 'orders',
        traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-/),
      },
    });
    const left = Number(seen.headers!['x-deadline-ms']);
    expect(left > 500 && left <= 990).toBe(true);
    const token = seen.headers!.authorization!.slice('Bearer '.length);
    expect(await tokensOf(INTERNAL_KEY, 'greeter').verify(token, 'greeter')).toMatchObject({
      caller: 'monolith',
    });
  });

  it('may answer badly', async () => {
    const answers: [number, string][] = [
      [200, '<html>'],
      [200, ''],
      [500, 'oops'],
      [404, '{"message":"no"}'],
      [200, JSON.stringify('x'.repeat(200_000))],
    ];
    const { ref } = await odd((_request, response) => {
      const [status, body] = answers.pop()!;
      response.writeHead(status).end(body);
    });
    for (let i = answers.length; i > 0; i -= 1) {
      expect(await problemOf(ref.greet({ name: 'x' }))).toMatchObject({ status: 502, code: 'bad-gateway' });
    }
  });

  it('may answer with a problem of its own making, or with nothing', async () => {
    const answers: [number, string][] = [
      [204, ''],
      [409, '{"type":"https://other.example/problems/taken","title":"Taken","status":409}'],
    ];
    const { ref } = await odd((_request, response) => {
      const [status, body] = answers.pop()!;
      response.writeHead(status, { 'retry-after': '7' }).end(body);
    });
    expect(await problemOf(ref.greet({ name: 'x' }))).toMatchObject({
      status: 409,
      code: 'taken',
      retryAfter: 7,
    });
    expect(await ref.greet({ name: 'x' })).toBeNull();
  });

  it('that refuses the token of this host is not the fault of who asked: 503, and one line that says why', async () => {
    let ahead = 0;
    let asked = 0;
    const { ref, warned } = await odd((_request, response) => {
      asked += 1;
      const date = new Date(Date.now() + ahead).toUTCString();
      response
        .writeHead(401, { date })
        .end(asked % 2 ? '' : '{"title":"No","status":401,"type":"about:blank"}');
    });
    const says = async (words: RegExp) => {
      const { status, message } = await problemOf(ref.create({ tag: 'x' }));
      expect([status, message]).toEqual([503, expect.stringMatching(words)]);
    };
    await says(/greeter-1 refuses the internal token of this host \(401\).*must know the key of this host/);
    ahead = -600_000;
    // It is left alone for a moment after each refusal.
    await expect
      .poll(async () => (await problemOf(ref.create({ tag: 'x' }))).message)
      .toMatch(/its clock is (599|600|601) s behind the clock here/);
    expect(warned.length).toBe(2);
  });

  it('has a 401 in its contract, which is who asked’s', async () => {
    const { ref, warned } = await odd((_request, response) => {
      const body = { type: 'urn:banyan:problem:greeter:wrong-password', title: 'No', status: 401 };
      response.writeHead(401).end(JSON.stringify(body));
    });
    expect(await problemOf(ref.greet({ name: 'x' }))).toMatchObject({ status: 401, code: 'wrong-password' });
    expect(warned).toEqual([]);
  });

  it('is cancelled, and given up at the deadline, by hanging up', async () => {
    let arrived = 0;
    let hungUp = 0;
    const { ref, remote } = await odd((request) => {
      arrived += 1;
      request.socket.on('close', () => {
        hungUp += 1;
      });
    });
    expect((await problemOf(within(50, () => ref.greet({ name: 'x' })))).code).toBe('deadline-exceeded');
    const controller = new AbortController();
    const before = arrived;
    const call = within(5000, () => ref.greet({ name: 'x' }), controller.signal);
    await expect.poll(() => arrived).toBeGreaterThan(before);
    controller.abort(new Error('went away'));
    await expect(call).rejects.toThrow('went away');
    await expect.poll(() => hungUp).toBeGreaterThan(0);
    expect(remote.inflight('greeter')).toBe(0);
  });

  it('is asked again for what may be repeated, and never for anything else', async () => {
    const asked: string[] = [];
    const { ref } = await odd((request) => {
      asked.push(request.url!);
      request.socket.destroy();
    });
    expect(await problemOf(ref.create({ tag: 'x' }))).toMatchObject({
      code: 'unavailable',
      nothingSent: false,
    });
    expect(await problemOf(ref.greet({ name: 'x' }))).toMatchObject({ code: 'unavailable' });
    expect(asked).toEqual(['/calls/greeter/create', '/calls/greeter/greet', '/calls/greeter/greet']);
  });

  it('that is gone is unavailable', async () => {
    const server = createServer();
    const port = await listen(server);
    server.close();
    const { ref } = callerOf(port, ['http']);
    expect(await problemOf(ref.create({ tag: 'x' }))).toMatchObject({
      code: 'unavailable',
      nothingSent: true,
    });
  });
});
