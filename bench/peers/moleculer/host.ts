// The work on Moleculer, as its guide writes services: `node host.ts <services> <settings>`, `all` for one broker
// with every service, or the name of one for a node of its own. The gateway is moleculer-web; nodes talk over its
// TCP transporter, found by a list of addresses. Logs and metrics are off, parameters are validated.
import { type BrokerOptions, ServiceBroker, type ServiceSchema } from 'moleculer';
import ApiGateway from 'moleculer-web';
import pg from 'pg';
import { findOrder, findProducts, findUser, type Product, place, type User } from '../work.ts';

interface Settings {
  readonly port: number;
  /** The nodes of the cluster, by name: `tcp://127.0.0.1:4001/orders`. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly databaseUrl?: string;
}

interface Asked<T> {
  readonly params: T;
  call<R>(action: string, params: object): Promise<R>;
}

const [which, text] = process.argv.slice(2) as [string, string];
const { port, nodes, databaseUrl } = JSON.parse(text) as Settings;
const pool = () => (databaseUrl ? new pg.Pool({ connectionString: databaseUrl, max: 5 }) : undefined);

const services: Record<string, () => ServiceSchema<unknown>> = {
  users() {
    const db = pool();
    return {
      name: 'users',
      actions: {
        get: {
          params: { id: 'uuid' },
          handler: ({ params }: Asked<{ id: string }>) => findUser(params.id, db),
        },
      },
    };
  },
  catalog() {
    const db = pool();
    return {
      name: 'catalog',
      actions: {
        list: {
          params: { ids: { type: 'array', items: 'uuid' } },
          handler: ({ params }: Asked<{ ids: string[] }>) => findProducts(params.ids, db),
        },
      },
    };
  },
  orders() {
    const db = pool();
    return {
      name: 'orders',
      actions: {
        get: {
          params: { id: 'uuid' },
          async handler(context: Asked<{ id: string }>) {
            const order = await findOrder(context.params.id, db);
            const [user, products] = await Promise.all([
              context.call<User>('users.get', { id: order.userId }),
              context.call<Product[]>('catalog.list', { ids: order.lines.map(({ productId }) => productId) }),
            ]);
            return place(order, user, products);
          },
        },
      },
    };
  },
  api: () => ({
    name: 'api',
    mixins: [ApiGateway],
    settings: {
      port,
      ip: '127.0.0.1',
      routes: [{ path: '/api', aliases: { 'GET /orders/:id': 'orders.get' } }],
    } as ServiceSchema['settings'],
  }),
};

const own = which === 'all' ? Object.keys(services) : [which];
// The types of 0.15 know one address; its TCP transporter takes a list of them, too.
const transporter = {
  type: 'TCP',
  options: {
    udpDiscovery: false,
    port: Number(new URL(nodes[which] ?? 'tcp://0').port),
    urls: Object.values(nodes),
  },
} as unknown as BrokerOptions['transporter'];
const broker = new ServiceBroker({
  nodeID: which,
  logger: false,
  ...(which === 'all' ? {} : { transporter }),
});
for (const name of own) broker.createService(services[name]!());
await broker.start();
