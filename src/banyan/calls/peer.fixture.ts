// A host with one module, as a process of its own: what the tests call over the network, kill and freeze.
// Started by fork(); says where it listens, and does what its parent's messages say.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pathToFileURL } from 'node:url';
import { currentFlow } from '../context/call.ts';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { problem } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import { rightsOf, tokensOf } from '../identity/known-hosts.fixture.ts';
import { attachWsDoor, type WsDoor } from '../websocket/ws-door.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';

export const INTERNAL_KEY = 'the internal key of the tests';

const text = Type.String({ maxLength: 10_000_000 });
const anything = Type.Unknown();

export const greeter = defineContract('greeter', {
  summary: 'What the tests call',
  errors: { 'name-taken': { status: 409, title: 'The name is taken' } },
  operations: {
    greet: operation({
      summary: 'Answers with the name',
      access: 'internal',
      input: closed({ name: Type.String({ minLength: 1, maxLength: 100 }) }),
      output: closed({ text: Type.String() }),
      idempotent: true,
    }),
    context: operation({
      summary: 'What the handler learns of its call',
      access: 'internal',
      input: nothing,
      output: anything,
      idempotent: true,
    }),
    look: operation({
      summary: 'Never answers; may be repeated',
      access: 'internal',
      input: closed({ tag: text }),
      output: anything,
      idempotent: true,
    }),
    create: operation({
      summary: 'Never answers; may not be repeated',
      access: 'internal',
      input: closed({ tag: text }),
      output: anything,
      idempotent: false,
    }),
    wait: operation({
      summary: 'Answers when told to',
      access: 'internal',
      input: closed({ tag: text }),
      output: anything,
      idempotent: false,
    }),
    take: operation({
      summary: 'Refuses in every way',
      access: 'internal',
      input: closed({ how: text }),
      output: anything,
      idempotent: true,
      errors: ['name-taken'],
    }),
    repeat: operation({
      summary: 'Answers with as many letters',
      access: 'internal',
      input: closed({ letters: text, times: Type.Integer() }),
      output: anything,
      idempotent: true,
    }),
    forAdmins: operation({
      summary: 'Not for modules',
      access: 'admin',
      scope: 'store',
      input: nothing,
      output: anything,
      idempotent: true,
    }),
  },
});

/** What the process tells its parent. */
export type Told =
  | { readonly listening: number }
  | { readonly begun: string }
  | { readonly cancelled: string }
  | { readonly drained: true };

/** What the parent says. */
export type Said = { readonly answer: string } | { readonly drain: number } | { readonly die: true };

export interface Greeter {
  readonly dispatcher: Dispatcher;
  /** Lets the `wait` of that tag answer. */
  answer(tag: string): void;
}

export function createGreeter(id: string, tell: (told: Told) => void, codec = false): Greeter {
  const waiting = new Map<string, (output: unknown) => void>();
  const never = (tag: string, signal: AbortSignal | undefined) => {
    signal?.addEventListener('abort', () => tell({ cancelled: tag }));
    tell({ begun: tag });
    return new Promise(() => undefined);
  };
  const handlers = {
    greet: async ({ name }: { name: string }) => ({ text: `${name} from ${id}` }),
    context: async (_input: object, { principal, deadline, traceparent }: never) => ({
      principal,
      left: (deadline as number) - Date.now(),
      traceparent,
      flow: currentFlow()?.traceparent,
      event: currentFlow()?.event,
      share: currentFlow()?.share,
      pid: process.pid,
    }),
    look: ({ tag }: { tag: string }, { signal }: { signal?: AbortSignal }) => never(tag, signal),
    create: ({ tag }: { tag: string }, { signal }: { signal?: AbortSignal }) => never(tag, signal),
    wait: ({ tag }: { tag: string }) =>
      new Promise((resolve) => {
        waiting.set(tag, resolve);
        tell({ begun: tag });
      }),
    take: async ({ how }: { how: string }) => {
      if (how === 'problem') {
        throw problem(greeter, 'name-taken', { detail: 'by another', retryAfter: 3, extra: { by: 'anna' } });
      }
      if (how === 'cycle') {
        const cycle: Record<string, unknown> = {};
        cycle.self = cycle;
        return cycle;
      }
      throw new Error('a secret of the inside');
    },
    repeat: async ({ letters, times }: { letters: string; times: number }) => letters.repeat(times),
    forAdmins: async () => null,
  };
  return {
    dispatcher: createDispatcher(greeter, handlers as never, { codec }),
    answer(tag) {
      waiting.get(tag)?.({ tag, from: id });
      waiting.delete(tag);
    },
  };
}

async function main(id: string, port: number): Promise<void> {
  const tell = (told: Told) => process.send!(told);
  const { dispatcher, answer } = createGreeter(id, tell);
  const tokens = tokensOf(INTERNAL_KEY, 'greeter');
  const server = createServer();
  const door: WsDoor = attachWsDoor({
    server,
    verify: (token) => tokens.verify(token, 'greeter'),
    rights: rightsOf(INTERNAL_KEY),
    dispatchers: new Map([['greeter', dispatcher]]),
    log: { error: () => undefined, warn: () => undefined },
  });
  process.on('message', async (said: Said) => {
    if ('answer' in said) answer(said.answer);
    if ('drain' in said) {
      await door.drain(said.drain);
      tell({ drained: true });
    }
    if ('die' in said) process.exit(0);
  });
  process.on('disconnect', () => process.exit(0));
  server.listen(port, '127.0.0.1', () => tell({ listening: (server.address() as AddressInfo).port }));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await main(process.argv[2]!, Number(process.argv[3] ?? 0));
}
