// Two processes that serve the modules of a stopped shop to shadows: who calls is in the one, and what is called in the other.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { StartedShop } from '../start-shop.ts';
import type { HostOrder } from './host.ts';

const CALLED = ['users', 'catalog', 'payments', 'media'];
const CALLERS = ['orders', 'notifications'];

export interface ShadowHosts {
  /** By module, the address of its process. */
  readonly at: Readonly<Record<string, string>>;
  /** As kill -9 does. The one that has orders. */
  kill(): Promise<void>;
  /** Starts that one again. */
  again(): Promise<void>;
  close(): Promise<void>;
}

export async function startShadowHosts({ databaseUrl, env }: StartedShop): Promise<ShadowHosts> {
  const given = { databaseUrl, env: { ROOT_KEY: env.ROOT_KEY! } };
  const at: Record<string, string> = {};
  const placed = (modules: readonly string[], url: string) => {
    for (const module of modules) at[module] = url;
  };
  // notifications asks users, orders asks all of them.
  const called = await startHost({ ...given, modules: CALLED, others: {} });
  placed(CALLED, called.url);
  const callers = () => {
    const others = { ...at };
    for (const module of CALLERS) delete others[module];
    return startHost({ ...given, modules: CALLERS, others });
  };
  let calling = await callers();
  placed(CALLERS, calling.url);
  return {
    at,
    async kill() {
      calling.child.kill('SIGKILL');
      await once(calling.child, 'exit');
    },
    async again() {
      calling = await callers();
      placed(CALLERS, calling.url);
    },
    async close() {
      for (const { child } of [called, calling]) if (child.exitCode === null) child.kill('SIGKILL');
    },
  };
}

async function startHost(order: HostOrder): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), [JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'test' },
    execPath: process.execPath,
  });
  const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
  return { child, url: line.trim() };
}
