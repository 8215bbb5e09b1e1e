// Two processes that serve the modules of a stopped shop to shadows: who calls is in the one, and what is called in the other.
// One that was killed comes back at its old address.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HostOrder } from './host.ts';

/** notifications asks users, orders asks all of the others. */
export const SERVICES = {
  callers: ['orders', 'notifications'],
  called: ['users', 'catalog', 'payments', 'media'],
} as const;
export type ServiceName = keyof typeof SERVICES;

export interface ShadowHosts {
  /** By module, the address of its process. */
  readonly at: Readonly<Record<string, string>>;
  signal(name: ServiceName, signal: NodeJS.Signals): void;
  /** As kill -9 does. */
  kill(name: ServiceName): Promise<void>;
  /** Starts it where it was. */
  again(name: ServiceName): Promise<void>;
  close(): Promise<void>;
}

type Given = Pick<HostOrder, 'databaseUrl' | 'env' | 'folder'>;

export async function startShadowHosts(given: Given): Promise<ShadowHosts> {
  const running = new Map<ServiceName, { child: ChildProcess; url: string }>();
  const at: Record<string, string> = {};
  const start = async (name: ServiceName) => {
    const modules = SERVICES[name];
    const before = running.get(name);
    const others = name === 'called' ? {} : addresses(SERVICES.called, at);
    const port = before ? Number(new URL(before.url).port) : 0;
    const host = await startHost({ ...given, name, modules, others, port });
    running.set(name, host);
    Object.assign(at, Object.fromEntries(modules.map((module) => [module, host.url])));
  };
  const signal = (name: ServiceName, how: NodeJS.Signals) => void running.get(name)!.child.kill(how);
  const close = async () => {
    for (const { child } of running.values()) await killed(child);
  };
  try {
    await start('called');
    await start('callers');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    at,
    signal,
    kill: async (name) => killed(running.get(name)!.child),
    again: start,
    close,
  };
}

const addresses = (modules: readonly string[], at: Readonly<Record<string, string>>) =>
  Object.fromEntries(modules.map((module) => [module, at[module]!]));

export async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function startHost(order: HostOrder): Promise<{ child: ChildProcess; url: string }> {
  const child = fork(fileURLToPath(new URL('host.ts', import.meta.url)), [JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'test' },
    execPath: process.execPath,
  });
  const said = once(child.stdout!.setEncoding('utf8'), 'data') as Promise<[string]>;
  const ended = once(child, 'exit').then(() => {
    throw new Error(`the process of ${order.modules.join(', ')} ended before it was up`);
  });
  const [line] = await Promise.race([said, ended]);
  ended.catch(() => {});
  return { child, url: line.trim() };
}
