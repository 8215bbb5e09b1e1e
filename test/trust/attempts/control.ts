// What somebody tries at control, on a monolith's internal port: to be another service, to serve other modules, to speak
// for the hosts of others, to send traffic elsewhere, to be given keys.
import { readFileSync } from 'node:fs';
import { identify } from '../../../src/banyan/context/process.ts';
import { type Attempt, allRefused, ask, Refused, withEach } from '../attempt.ts';
import { quiet, setTrap, type Thief } from '../thief.ts';
import type { Victim } from '../victim.ts';

const registers = (
  name: string,
  id: string,
  modules: readonly ('media' | 'orders' | 'users')[],
  more: object | ((thief: Thief, victim: Victim) => object | Promise<object>) = {},
): Attempt => ({
  name,
  seen: true,
  async tries(thief, victim) {
    const also = typeof more === 'function' ? await more(thief, victim) : more;
    return allRefused(await thief.registers(thief.registration(id, modules, also)));
  },
});

/** Its own name, at an address where it must not be. */
const at = (url: string): Attempt => ({
  ...registers(`registers at ${url}`, 'media-78', ['media'], { url }),
  seen: false,
});

const addresses = [
  'http://169.254.169.254',
  'http://169.254.169.254/latest/meta-data',
  'http://[::ffff:169.254.169.254]',
  'http://[::ffff:a9fe:a9fe]',
  'http://[fe80::1]',
  'http://[fd00:ec2::254]',
  'http://2852039166',
  'http://0xA9FEA9FE',
  'http://0251.0376.0251.0376',
  'http://169.254.43518',
  'http://metadata.google.internal',
  'http://0.0.0.0:1',
  'http://[::]:1',
  'http://192.0.2.7:4000',
  'http://example.com',
  'http://localhost.example.com',
  'http://user:pass@127.0.0.1:1',
  'http://127.0.0.1:1@192.0.2.7',
  'http://127.0.0.1:1/admin',
  'http://127.0.0.1:1/?x=',
  'http://127.0.0.1:1/#',
  'http://127.0.0.1:1\\@192.0.2.7',
  'http://127.0.0.1:1 .example.com',
  'ftp://127.0.0.1:1',
  'file:///etc/passwd',
  'unix:/var/run/postgresql',
];

const hostOf = async (victim: Victim, id: string) => {
  const [row] = await victim.ask<{ host: string }>(
    'SELECT host FROM banyan_control.host WHERE live AND id = $1',
    [id],
  );
  return row!.host;
};

/** A host's uuid is no secret: every picture has it. */
const speaksFor = (id: string, what: string, body: (host: string) => object): Attempt => ({
  name: `says of ${id} that it ${what}`,
  seen: true,
  async tries(thief, victim) {
    return allRefused([await thief.sync(body(await hostOf(victim, id)))]);
  },
});

const as = (name: string, body: (thief: Thief) => object): Attempt => ({
  name: `speaks to control as ${name}`,
  seen: true,
  async tries(thief) {
    const tokens = await thief.forged(name, 'control');
    return allRefused(await withEach(tokens, (token) => thief.sync(body(thief), token)));
  },
});

const keysOf = (thief: Thief, token: string, json: object = {}) =>
  ask(`${thief.control}/control/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    json,
  });

/** Each `d` in it is a private key. */
function privateKeys(value: unknown, at = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'd' && typeof inner === 'string' ? [at] : privateKeys(inner, `${at}/${name}`),
  );
}

const keys: readonly Attempt[] = [
  {
    name: 'is given keys of others',
    async tries(thief) {
      const bodies = [
        {},
        { modules: ['users', 'orders', 'payments'] },
        { module: 'users' },
        { service: 'users' },
      ];
      const own = await thief.own('control');
      const answers = await Promise.all(bodies.map((body) => keysOf(thief, own, body)));
      const found = answers.flatMap(({ body }) => privateKeys(body));
      const others = found.filter((path) => !path.startsWith(`/seals/${thief.self}/`));
      if (others.length > 0) return `private keys: ${others}`;
      throw new Refused(answers.map(({ status }) => status).join(', '));
    },
  },
  {
    name: 'is given keys in the name of others',
    seen: true,
    async tries(thief) {
      const answers = [];
      for (const name of ['users', 'payments', 'monolith', 'media-1', 'Media', 'media '])
        answers.push(
          ...(await withEach(await thief.forged(name, 'control'), (token) => keysOf(thief, token))),
        );
      return allRefused(answers);
    },
  },
  {
    name: 'finds a private key in the picture',
    async tries(thief) {
      const found = privateKeys(await thief.snapshot());
      if (found.length > 0) return found.join(', ');
      throw new Refused('none');
    },
  },
];

export const control: readonly Attempt[] = [
  registers('registers as a process of users', 'users-77', ['users']),
  registers('registers as a process of orders that runs', 'orders-1', ['orders']),
  registers('registers under its own name with the module of another', 'media-77', ['users']),
  registers('registers under its own name with one module more', 'media-77', ['media', 'users']),
  {
    name: 'registers modules that an object has without being given them',
    seen: true,
    async tries(thief) {
      const answers = [];
      for (const module of ['__proto__', 'constructor', 'toString'])
        for (const modules of [[module], ['media', module]])
          answers.push(...(await thief.registers(thief.registration('media-77', ['media'], { modules }))));
      return allRefused(answers);
    },
  },
  registers('registers under a name that begins like its own', 'media-x-1', ['media']),
  { ...registers('registers as a monolith', 'monolith-1', ['media'], { role: 'monolith' }), seen: false },
  registers('registers as what monoliths are called', 'monolith-1', ['media']),
  registers('registers over the row of another host', 'media-77', ['media'], async (_thief, victim) => ({
    host: await hostOf(victim, 'orders-1'),
  })),
  registers('registers over the row of the monolith', 'media-77', ['media'], async (_thief, victim) => ({
    host: await hostOf(victim, 'monolith'),
  })),
  {
    name: 'registers with the process of another, and stands still',
    // Its own name and address: it may. What it says of its process must cost nobody's.
    async tries(thief, victim) {
      const pid = await victim.pidOf('orders-1');
      const mine = thief.registration('media-77', ['media'], { process: identify(pid) });
      await thief.sync({ register: mine, beat: { host: mine.host, appliedVersion: 0, ...quiet } });
      await thief.sync({ leave: mine.host });
      readFileSync(`/proc/${pid}/stat`);
      return undefined;
    },
  },
  {
    name: 'sends a registration that is too large, or a contract without end',
    async tries(thief) {
      const large = thief.registration('media-77', ['media'], { padding: 'x'.repeat(3 * 1024 * 1024) });
      const mine = thief.registration('media-77', ['media']);
      let deep: object = {};
      for (let n = 0; n < 1_500; n += 1) deep = { items: deep };
      const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`e${n}`, { data: {} }]));
      const contract = mine.contracts.media as unknown as { events: object };
      const odd = [
        {
          ...mine,
          contracts: { media: { ...contract, events: { ...contract.events, deep: { data: deep } } } },
        },
        { ...mine, contracts: { media: { ...contract, events: wide, operations: {} } } },
        { ...mine, contracts: {} },
        { ...mine, contracts: { media: { operations: {}, events: {}, errors: {} } } },
      ];
      const answers = await thief.registers(large);
      for (const one of odd) answers.push(...(await thief.registers(one as never)));
      return allRefused(answers);
    },
  },
  speaksFor('orders-1', 'stops', (leave) => ({ leave })),
  speaksFor('monolith', 'stops', (leave) => ({ leave })),
  speaksFor('orders-1', 'drains', (host) => ({
    beat: { host, appliedVersion: 0, ...quiet, draining: true },
  })),
  speaksFor('orders-1', 'is not ready', (host) => ({
    beat: { host, appliedVersion: 0, ...quiet, ready: false },
  })),
  speaksFor('monolith', 'is not ready', (host) => ({
    beat: { host, appliedVersion: 0, ...quiet, ready: false },
  })),
  speaksFor('orders-1', 'is busy for ever', (host) => ({
    beat: { host, appliedVersion: 0, ...quiet, busy: { orders: 999_999 } },
  })),
  ...addresses.map(at),
  as('users', (thief) => ({ register: thief.registration('users-77', ['users']) })),
  as('orders', (thief) => ({ register: thief.registration('orders-77', ['orders']) })),
  as('monolith', () => ({})),
  as('control', () => ({})),
  {
    name: 'speaks to control without a token, or with what others sign',
    seen: true,
    async tries(thief, victim) {
      const answers = [];
      for (const token of ['', 'x', victim.customer.token, ...thief.secrets])
        answers.push(await thief.sync({}, token));
      return allRefused(answers, [401]);
    },
  },
  {
    name: 'plays a token that was sent to it at others',
    seen: true,
    async tries(thief, victim) {
      const trap = await setTrap();
      const mine = thief.registration('media-77', ['media'], { url: trap.url });
      const beat = { host: mine.host, appliedVersion: 0, ...quiet };
      try {
        const { status, text } = await thief.sync({ register: mine, beat });
        if (status !== 200) throw new Error(`its own name is not let in: ${status} ${text}`);
        // Its own module's requests do come to it.
        for (let n = 0; n < 40; n += 1) {
          await victim.shop.call('GET', '/api/media/01900000-0000-7000-8000-000000000001');
          await thief.sync({ beat: { ...beat, appliedVersion: (await thief.snapshot()).version } });
        }
      } finally {
        await thief.sync({ leave: mine.host });
        await trap.close();
      }
      const caught = trap.caught.flatMap(({ headers }) => headers['x-internal-token'] ?? []).map(String);
      if (caught.length === 0) throw new Error('no request of its own module came');
      const { modules } = await thief.snapshot();
      const orders = modules.orders!.instances[0]!.url;
      const answers = [];
      for (const token of new Set(caught)) {
        const headers = { 'x-internal-token': token, authorization: `Bearer ${victim.customer.token}` };
        answers.push(await ask(`${orders}/api/orders`, { headers }));
        answers.push(await ask(`${orders}/calls`, { headers: { authorization: `Bearer ${token}` } }));
        answers.push(await ask(`${thief.control}/calls`, { headers: { authorization: `Bearer ${token}` } }));
        answers.push(await thief.sync({}, token));
      }
      return allRefused(answers, [401, 403]);
    },
  },
  ...keys,
];
