// Handlers that are loaded when somebody first asks: no start needs their files, and hardly any process is ever asked.
import type { Contract } from '../contract/contract.ts';
import type { Handlers } from '../contract/handlers.ts';

type AnyHandler = (input: unknown, call: unknown) => Promise<unknown>;

export function lateHandlers<C extends Contract>(contract: C, load: () => Promise<Handlers<C>>): Handlers<C> {
  let loaded: Promise<Handlers<C>> | undefined;
  const late = (name: string): AnyHandler => {
    return async (input, call) => {
      loaded ??= load();
      return ((await loaded) as Record<string, AnyHandler>)[name]!(input, call);
    };
  };
  const names = Object.keys(contract.operations);
  return Object.fromEntries(names.map((name) => [name, late(name)])) as unknown as Handlers<C>;
}
