// A service's process as far as shadows go: modules behind the real door for calls, which does nothing of its own. Its
// consumers, relays and jobs never begin, so that nothing changes a row but what is asked of it.
// One line of JSON is its argument (`HostOrder`), and the first line it prints its address.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { RemoteCalls } from '../../src/banyan/calls/remote.ts';
import { shadowAnswer } from '../../src/banyan/calls/shadow.ts';
import { moduleNames } from '../../src/banyan/config/environment.ts';
import { attachWsDoor } from '../../src/banyan/websocket/ws-door.ts';
import { shopApp } from '../../src/shop.ts';
import { keysAndPicture, openModules } from '../rolled-back/modules.ts';
import { everyRight, remoteTo } from './remote.ts';

export interface HostOrder {
  readonly name: string;
  readonly databaseUrl: string;
  readonly env: { readonly ROOT_KEY: string };
  /** Of pictures and mails. */
  readonly folder: string;
  /** 0: any. */
  readonly port: number;
  readonly modules: readonly string[];
  /** Where other modules are, by module. */
  readonly others: Readonly<Record<string, string>>;
}

/** Enough on a machine that is busy with other things, unless whoever asks says less. */
const MOST_MS = 30_000;

const order = JSON.parse(process.argv[2]!) as HostOrder;
const remote: RemoteCalls = remoteTo(order.others, order.modules[0]!);
const [keys, placements] = keysAndPicture(moduleNames(shopApp));
const far = Object.keys(order.others).map((module) => [module, { placement: 'service', instances: [] }]);
const current = { ...placements.current, modules: Object.fromEntries(far) };
const picture = { ...placements, current } as unknown as typeof placements;
const modules = await openModules(order, [keys, picture], {
  only: order.modules,
  remote,
  host: order.name,
  folder: order.folder,
});
const server = createServer();
attachWsDoor({
  server,
  verify: (token) => ({ caller: token ?? 'nobody', kid: undefined }) as never,
  rights: everyRight,
  dispatchers: modules.dispatchers,
  tryHere: async (module, operation, input, call) => {
    const left = Math.max(1, Math.min(MOST_MS, call.deadline - Date.now()));
    const tried = await modules.tried(`${module}.${operation}`, input, call, left);
    return shadowAnswer(module, modules.dispatchers.get(module)!.contract.operations[operation]!, tried);
  },
  log: pino({ level: 'silent' }),
});
server.listen(order.port, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
process.once('disconnect', () => process.exit());
