// What each module listens to, found without a host: the module is set up with a kit whose things do nothing, and says
// what it would do. It relies on `setup` only making things and waiting for nothing (src/banyan/host/module.ts).
import 'reflect-metadata';
import type { App } from '../../src/banyan/config/app.ts';
import type { Settings } from '../../src/banyan/config/settings.ts';
import { readOwn } from '../../src/banyan/config/values.ts';
import type { Listener } from '../../src/banyan/events/listener.ts';
import { loadModule } from '../../src/banyan/host/load.ts';
import type { Kit } from '../../src/banyan/host/module.ts';

/** By the consumer's name. */
export async function listenersOf(
  app: App,
  modules: readonly string[],
): Promise<ReadonlyMap<string, readonly Listener[]>> {
  const found = new Map<string, readonly Listener[]>();
  for (const name of modules) {
    const module = await loadModule(name, settingsOf(app));
    const { listeners = [], close } = module.setup(inert as unknown as Kit<undefined>);
    await close?.();
    found.set(name, listeners);
  }
  return found;
}

/** As where nobody set anything, in a folder that there is not. */
function settingsOf(app: App): Settings {
  const dataDir = '/nowhere';
  const own = Object.fromEntries(
    Object.entries(app.settings ?? {}).map(([name, one]) => [name, readOwn(one, undefined, dataDir)]),
  );
  return { app, own, dataDir } as unknown as Settings;
}

/** Answers itself, whatever is done with it; it is no promise, and there is nothing in it. */
const inert: unknown = new Proxy(() => {}, {
  get(_target, name) {
    if (name === 'then') return undefined;
    if (name === Symbol.iterator) return () => [].values();
    if (name === Symbol.toPrimitive) return () => '';
    return inert;
  },
  apply: () => inert,
  construct: () => inert as object,
});
