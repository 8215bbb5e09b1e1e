// Two small modules for the tests: `shop` publishes, `till` listens and publishes in turn. Each has its schema
// and its roles as the product's modules have; their stores are real ones, without a Prisma client.
import { pino } from 'pino';
import { type Contract, closed, defineContract, event } from '../../contract/contract.ts';
import { Type } from '../../contract/type.ts';
import type { LogLogger } from '../../log/port.ts';
import { logSchema } from '../../log/postgres-schema.ts';
import { provision } from '../../postgres/provision.ts';
import { roleUrl } from '../../postgres/roles.ts';
import { createStore, type OpenStore } from '../../store/create.ts';
import { createPublisher } from '../publisher.ts';
import { moduleEventTables } from '../tables.ts';

export const shop = defineContract('shop', {
  summary: 'Publishes',
  operations: {},
  events: {
    sold: event({
      summary: 'Something was sold',
      version: 1,
      key: 'orderId',
      data: closed({ orderId: Type.String(), n: Type.Integer(), pad: Type.Optional(Type.String()) }),
    }),
    seen: event({
      summary: 'Somebody looked; nobody listens',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: Type.String() }),
    }),
  },
});

export const till = defineContract('till', {
  summary: 'Listens',
  operations: {},
  events: {
    paid: event({
      summary: 'Money came',
      version: 1,
      key: 'orderId',
      data: Type.Object({ orderId: Type.String(), n: Type.Integer() }),
    }),
  },
});

export const quiet: LogLogger = { debug() {}, info() {}, warn() {}, error() {} };
const silent = pino({ level: 'silent' });
const SECRET = 'a secret of the tests';

const EFFECTS = `CREATE TABLE IF NOT EXISTS effect (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id uuid NOT NULL, key text NOT NULL, n bigint NOT NULL)`;

/** Schemas, roles and tables of both modules and of the log, in an empty database. */
export async function provisionShop(url: string): Promise<void> {
  await provision({
    adminUrl: url,
    secret: SECRET,
    modules: [],
    schemas: [
      { schema: 'shop', role: 'banyan_shop', ddl: moduleEventTables() },
      { schema: 'till', role: 'banyan_till', ddl: `${moduleEventTables()}; ${EFFECTS}` },
      logSchema(['shop', 'till']),
    ],
    moduleDdl: moduleEventTables,
    log: silent,
  });
}

export function urlOf(databaseUrl: string, role: 'banyan_shop' | 'banyan_till' | 'banyan_log'): string {
  return roleUrl(databaseUrl, SECRET, role);
}

export function openStore(
  contract: Contract,
  databaseUrl: string,
  onCommit: () => void,
): OpenStore<undefined> {
  return createStore({
    module: contract.module,
    url: urlOf(databaseUrl, `banyan_${contract.module}` as 'banyan_shop'),
    prisma: () => undefined,
    publisher: createPublisher(contract),
    onCommit,
    strict: true,
    log: silent,
  });
}
