// Shadows between processes, over the database of a shop that has stopped: a monolith's process that asks, the services'
// processes that answer, and here the cases, made for real, and all that stands in tables and files. No relay, consumer or
// job runs in any of them, so that whatever changes was a shadow's doing.
// It must not know what is expected of a shadow.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { Contract, OperationSpec } from '../../src/banyan/contract/contract.ts';
import { statusOfSuccess } from '../../src/banyan/contract/status.ts';
import { compared } from '../../src/banyan/ladder/shadow/comparison.ts';
import { noRecord, withShadow } from '../../src/banyan/ladder/shadow/noise.ts';
import { type Case, casesOf, type Request } from '../rolled-back/cases.ts';
import { type Modules, openModules, type StoppedShop } from '../rolled-back/modules.ts';
import { changes, filesOf, type State, stateOf } from '../rolled-back/rows.ts';
import type { Asked, AskerOrder, Told } from './asker.ts';
import { killed, type ServiceName, type ShadowHosts, startShadowHosts } from './hosts.ts';

export type Who = 'monolith' | ServiceName;
export type Answer = Omit<Told, 'id'>;

export interface Standing {
  readonly tables: State;
  readonly files: Readonly<Record<string, string>>;
}

export interface ShadowRoom {
  readonly databaseUrl: string;
  readonly modules: Modules;
  readonly database: pg.Client;
  readonly cases: Readonly<Record<string, Case>>;
  /** Has the monolith have it tried, in so many ms. Rejects where the monolith is gone. */
  ask(name: string, request: Request, how?: { ms?: number; near?: boolean }): Promise<Answer>;
  standing(): Promise<Standing>;
  signal(who: Who, signal: NodeJS.Signals): void;
  kill(who: Who): Promise<void>;
  again(who: Who): Promise<void>;
  close(): Promise<void>;
}

/** Enough on a machine that is busy with other things. */
const BUDGET_MS = 20_000;

export async function openShadowRoom(shop: StoppedShop): Promise<ShadowRoom> {
  const modules = await openModules(shop);
  const database = new pg.Client({ connectionString: shop.databaseUrl });
  await database.connect();
  const { folder } = modules;
  const given = { databaseUrl: shop.databaseUrl, env: { ROOT_KEY: shop.env.ROOT_KEY! }, folder };
  const hosts = await startShadowHosts(given);
  let monolith = await startAsker({ ...given, at: hosts.at });
  const processOf = (who: Who) => (who === 'monolith' ? monolith : serviceOf(hosts, who));
  return {
    databaseUrl: shop.databaseUrl,
    modules,
    database,
    cases: casesOf(modules, database),
    ask: (name, request, { ms = BUDGET_MS, near = false } = {}) =>
      monolith.ask({ name, ...request, ms, near }),
    standing: async () => ({ tables: await stateOf(database), files: filesOf(folder) }),
    signal: (who, signal) => processOf(who).signal(signal),
    kill: (who) => processOf(who).kill(),
    again: async (who) => {
      if (who === 'monolith') monolith = await startAsker({ ...given, at: hosts.at });
      else await hosts.again(who);
    },
    async close() {
      await monolith.kill();
      await hosts.close();
      await modules.close();
      await database.end();
    },
  };
}

/** What is not as it was, in words; none: nothing. */
export function traces(before: Standing, after: Standing): string[] {
  const tables = Object.entries(changes(before.tables, after.tables));
  const paths = [...new Set([...Object.keys(before.files), ...Object.keys(after.files)])];
  const files = paths.filter((path) => before.files[path] !== after.files[path]);
  return [
    ...tables.map(([name, more]) => `${name} differs, ${more} rows more`),
    ...files.map((path) => `the file ${path} differs`),
  ];
}

export function contractOf(
  { contracts }: Modules,
  name: string,
): { contract: Contract; spec: OperationSpec } {
  const [module, operation] = name.split('.') as [string, string];
  const contract = contracts.find((one) => one.module === module)!;
  return { contract, spec: contract.operations[operation]! };
}

/** What the two sides say differently, in words, beside ids and times and what the contract leaves out. */
export function differences(modules: Modules, name: string, { far, near }: Answer): string[] {
  if (!far || !near) return ['one of the two has no answer'];
  const { contract, spec } = contractOf(modules, name);
  if (!('output' in near.result)) return [`the near side answered ${near.result.problem}`];
  const own = near.events.filter(({ module }) => module === contract.module);
  const status = statusOfSuccess(spec, near.result.output);
  const body = alike(near.result.output ?? null);
  const [one, other] = [
    { status, body, events: alike(own.map(({ type, key, data }) => ({ type, key, data }))) },
    { status: far.status, body: alike(far.problem ?? far.output ?? null), events: alike(far.events) },
  ];
  const terms = { ignore: spec.shadow?.ignore ?? [], least: 0 };
  return withShadow(noRecord, compared(one, other), terms).differences.map(({ why }) => why);
}

/** Without what differs from one time to the next. */
function alike<T>(value: T): T {
  const text = JSON.stringify(value)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<id>')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>')
    .replace(/eyJ[\w.-]+/g, '<sealed>')
    .replace(/for \d+ s/g, 'for <n> s');
  return JSON.parse(text);
}

const serviceOf = (hosts: ShadowHosts, name: ServiceName) => ({
  signal: (signal: NodeJS.Signals) => hosts.signal(name, signal),
  kill: () => hosts.kill(name),
});

async function startAsker(order: AskerOrder) {
  const child: ChildProcess = fork(
    fileURLToPath(new URL('asker.ts', import.meta.url)),
    [JSON.stringify(order)],
    {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, NODE_ENV: 'test' },
      execPath: process.execPath,
    },
  );
  const waiting = new Map<number, PromiseWithResolvers<Answer>>();
  let gone: Error | undefined;
  const ended = once(child, 'exit').then(() => {
    gone = new Error('the monolith of the shadows has ended');
    for (const one of waiting.values()) one.reject(gone);
    waiting.clear();
  });
  await Promise.race([once(child, 'message'), ended.then(() => Promise.reject(gone))]);
  child.on('message', ({ id, ...answer }: Told) => {
    waiting.get(id)?.resolve(answer);
    waiting.delete(id);
  });
  let last = 0;
  return {
    ask(asked: Omit<Asked, 'id'>): Promise<Answer> {
      if (gone) return Promise.reject(gone);
      last += 1;
      const answer = Promise.withResolvers<Answer>();
      waiting.set(last, answer);
      child.send({ ...asked, id: last } satisfies Asked);
      return answer.promise;
    },
    signal: (signal: NodeJS.Signals) => void child.kill(signal),
    kill: () => killed(child),
  };
}
