// Modules by the names of their folders: no list is kept anywhere.
import type { Contract } from '../kernel/contract/contract.ts';
import type { Module } from '../kernel/module.ts';
import type { Settings } from '../settings.ts';

/** The module's registration record, made with the settings it asks for. */
export async function loadModule(name: string, settings: Settings): Promise<Module> {
  const { default: make } = (await import(`../modules/${name}/module.ts`)) as {
    default: (settings: Settings) => Module;
  };
  return make(settings);
}

/** A module's contract, also where the module itself does not run. It is exported under the module's name. */
export async function loadContract(name: string): Promise<Contract> {
  const exported = (await import(`../modules/${name}/contract.ts`)) as Record<string, Contract | undefined>;
  const contract = Object.values(exported).find(
    (one) => one?.module === name && one.operations !== undefined,
  );
  if (!contract)
    throw new Error(
      `src/modules/${name}/contract.ts exports no contract of ${name}: export const ${name} = defineContract('${name}', …)`,
    );
  return contract;
}
