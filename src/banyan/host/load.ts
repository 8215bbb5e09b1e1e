// The modules of a product, by the names of their folders: no list is kept anywhere.

// What they import (tsyringe) asks for it as it is loaded.
import 'reflect-metadata';
import type { App } from '../config/app.ts';
import type { Settings } from '../config/settings.ts';
import type { Contract } from '../contract/contract.ts';
import type { Module } from './module.ts';

/** The module's registration record, made with the settings that it asks for: the product's own, or the host's. */
export async function loadModule(name: string, settings: Settings): Promise<Module> {
  const { default: make } = (await import(fileOf(settings.app, name, 'module.ts'))) as {
    default: (settings: unknown) => Module;
  };
  return make(knownOnly(name, { ...settings, ...ownOf(settings, name) }));
}

/** Those that are the module's to read. */
function ownOf({ app, own }: Settings, module: string): Partial<Settings['own']> {
  return Object.fromEntries(
    Object.entries(own).filter(([name]) => app.settings?.[name]?.of.includes(module)),
  );
}

/** A module names its settings in an interface of its own, which nothing compares with ours: what we lack says so here. */
export function knownOnly<S extends object>(module: string, settings: S): S {
  return new Proxy(settings, {
    get(all, name, receiver) {
      if (name in all || typeof name === 'symbol') return Reflect.get(all, name, receiver);
      throw new Error(
        `${module} asks for the setting "${name}", which it has not: name it, with its variable and of: ['${module}'], in the settings of the product (src/shop.ts)`,
      );
    },
  });
}

/** A module's contract, also where the module itself does not run. It is exported under the module's name. */
export async function loadContract(app: Pick<App, 'modules'>, name: string): Promise<Contract> {
  const file = fileOf(app, name, 'contract.ts');
  const exported = (await import(file)) as Record<string, Contract | undefined>;
  const contract = Object.values(exported).find(
    (one) => one?.module === name && one.operations !== undefined,
  );
  if (!contract)
    throw new Error(
      `${file} exports no contract of ${name}: export const ${name} = defineContract('${name}', …)`,
    );
  return contract;
}

function fileOf({ modules }: Pick<App, 'modules'>, name: string, file: string): string {
  return new URL(`${name}/${file}`, modules).href;
}
