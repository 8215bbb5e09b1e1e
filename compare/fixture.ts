// What every part of a comparison stands on: the folder, both instances with the same data, the generator. Made in
// one place so that it ends in one place, whatever broke off: no process, no port, no folder is left.

import type { Files } from './answers.ts';
import { choosePinning, type Generator, type Pinning, startGenerator } from './load/generator-process.ts';
import type { CompareOptions } from './options.ts';
import { openFolder } from './topology/folder.ts';
import type { Installation, Instance, StartOptions } from './topology/instance.ts';
import { makeSecrets, prepare } from './topology/prepare.ts';
import { filesOf } from './workload/files.ts';
import type { Stock } from './workload/record.ts';

export interface Fixture {
  readonly options: CompareOptions;
  readonly folder: string;
  readonly pinning: Pinning;
  readonly instances: { readonly a: Instance; readonly b: Instance };
  readonly stock: Stock;
  readonly files: Files;
  readonly generator: Generator;
  /** Of the installation: what opens internal ports lies under it. */
  readonly rootKey: string;
  /** Both anew, on the data that they have. */
  restart(how?: StartOptions): Promise<void>;
}

export async function withFixture<T>(
  options: CompareOptions,
  work: (fixture: Fixture) => Promise<T>,
): Promise<T> {
  const { signal, say } = options;
  signal.throwIfAborted();
  say('prepare', 'a database with the shop in it');
  const folder = await openFolder();
  const ends: (() => Promise<void>)[] = [];
  try {
    const pinning = choosePinning();
    const installation: Installation = {
      modules: options.modules,
      log: options.log,
      env: options.env,
      secrets: makeSecrets(),
      cores: pinning.hosts,
      signal,
    };
    const { stock, instances } = await prepare(folder.path, options, installation);
    const both = [instances.a, instances.b];
    ends.push(() => all(both.map((one) => one.stop())));
    const generator = await startGenerator(pinning, { ...options.env, NODE_ENV: 'production' });
    ends.unshift(() => generator.stop());
    // What waits for the load to end need not know of signals.
    signal.addEventListener('abort', () => void generator.stop(), { once: true });
    const restart = async (how?: StartOptions) => {
      signal.throwIfAborted();
      await all(both.map((one) => one.stop()));
      await all(both.map((one) => one.start(how)));
    };
    return await work({
      options,
      folder: folder.path,
      pinning,
      instances,
      stock,
      files: await filesOf(options.workload),
      generator,
      rootKey: installation.secrets.rootKey,
      restart,
    });
  } finally {
    if (signal.aborted) say('stop', 'ending what was started');
    for (const end of ends) await end().catch(() => {});
    await folder.remove();
  }
}

/** All of them come to their end, also when one fails; then that failure. */
async function all(tasks: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(tasks)).find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
}
