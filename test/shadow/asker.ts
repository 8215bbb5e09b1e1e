// A monolith's process as far as shadows go: asked by messages, it has a request tried by the service and then, where that is
// wanted, tries it itself, as a mirror does before a write. It does nothing of its own and serves nobody.
// One line of JSON is its argument (`AskerOrder`); its first message says that it is ready.

import type { ShadowOf } from '../../src/banyan/calls/remote.ts';
import type { ShadowAnswer } from '../../src/banyan/calls/shadow.ts';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { anonymous } from '../../src/banyan/context/principal.ts';
import { newTraceparent } from '../../src/banyan/context/trace.ts';
import type { DispatchedRolledBack } from '../../src/banyan/host/boot-module.ts';
import { shopApp } from '../../src/shop.ts';
import type { Request } from '../rolled-back/cases.ts';
import { keysAndPicture, openModules } from '../rolled-back/modules.ts';
import { remoteTo } from './remote.ts';

export interface AskerOrder {
  readonly databaseUrl: string;
  readonly env: { readonly ROOT_KEY: string };
  readonly folder: string;
  /** Where the services are, by module. */
  readonly at: Readonly<Record<string, string>>;
}

export interface Asked extends Request {
  readonly id: number;
  /** `module.operation` */
  readonly name: string;
  /** The budget. */
  readonly ms: number;
  /** Here as well. */
  readonly near: boolean;
}

/** What a problem is in words, so that it can be sent. */
type NearAnswer = Omit<DispatchedRolledBack, 'result'> & {
  readonly result: { readonly output: unknown } | { readonly problem: string };
};

export interface Told {
  readonly id: number;
  readonly far?: ShadowAnswer;
  readonly near?: NearAnswer;
  /** Why the service gave no answer. */
  readonly failed?: { readonly name: string; readonly message: string };
}

const order = JSON.parse(process.argv[2]!) as AskerOrder;
const remote = remoteTo(order.at, 'monolith');
const keys = keysAndPicture(moduleNames(shopApp));
const modules = await openModules(order, keys, { remote, folder: order.folder });

process.on('message', (asked: Asked) => {
  void answer(asked).then((told) => process.send!(told));
});
process.once('disconnect', () => process.exit());
process.send!('ready');

async function answer(asked: Asked): Promise<Told> {
  const { id, near } = asked;
  try {
    const far = await tried(asked);
    return near ? { id, far, near: await triedHere(asked) } : { id, far };
  } catch (error) {
    const { message } = error as Error;
    return { id, failed: { name: (error as Error).constructor.name, message } };
  }
}

function tried({ name, input, call, ms }: Asked): Promise<ShadowAnswer> {
  const [module, operation] = name.split('.') as [string, string];
  const contract = modules.contracts.find((one) => one.module === module)!;
  const { principal = anonymous, address } = call ?? {};
  const flow = { deadline: Date.now() + ms, traceparent: newTraceparent() };
  const of: ShadowOf = { principal, address, flow };
  return remote.tried(contract, operation, input, 'monolith', 'service', { key: 'k' }, of);
}

async function triedHere({ name, input, call, ms }: Asked): Promise<NearAnswer> {
  const { result, ...rest } = await modules.tried(name, input, call, ms);
  const came = 'problem' in result ? { problem: JSON.stringify(result.problem.body) } : result;
  return { ...rest, result: came };
}
