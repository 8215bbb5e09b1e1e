// What somebody tries at the doors between hosts: operations that only modules call, in the name of a module or of a
// monolith; and requests of clients as only a gateway brings them.
import { type Answer, type Attempt, allRefused, ask, withEach } from '../attempt.ts';
import { callOverWs, type Thief } from '../thief.ts';
import type { Victim } from '../victim.ts';

interface Call {
  readonly does: string;
  readonly module: string;
  readonly operation: string;
  /** Who may ask this. */
  readonly by: string;
  readonly input: (victim: Victim) => object;
}

const priced = ({ orderId, customer }: Victim) => ({
  orderId,
  userId: customer.id,
  totalCents: 1,
  currency: 'EUR',
});
const call = (module: string, operation: string, by: string, does: string, input: Call['input']): Call => ({
  does,
  module,
  operation,
  by,
  input,
});

const unheard = '0192aaaa-0000-7000-8000-00000000000e';
const calls: readonly Call[] = [
  call('users', 'getUser', 'orders', "reads somebody's address", ({ customer }) => ({ userId: customer.id })),
  call('payments', 'undo', 'orders', 'has the money of an order paid back', priced),
  call('payments', 'charge', 'orders', 'has a card charged', (victim) => ({
    ...priced(victim),
    orderId: unheard,
    paymentToken: 'tok_ok',
  })),
  call('catalog', 'priceProducts', 'orders', 'asks for prices', ({ product }) => ({ ids: [product.id] })),
  call('catalog', 'release', 'orders', 'gives back the stock of an order', ({ orderId }) => ({ orderId })),
  call('catalog', 'sell', 'orders', 'has stock sold', () => ({ orderId: unheard })),
  call('catalog', 'reserve', 'orders', 'sets stock aside', (victim) => ({
    ...priced(victim),
    orderId: unheard,
    lines: [{ productId: victim.product.id, quantity: 1 }],
    paymentToken: 'tok_ok',
  })),
  call('notifications', 'tellOfOrder', 'orders', 'has a mail sent', (victim) => ({
    ...priced(victim),
    ended: 'rejected',
  })),
];

const httpCall = (origin: string, { module, operation }: Call, token: string, json: object, headers = {}) =>
  ask(`${origin}/calls/${module}/${operation}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, ...headers },
    json,
  });

const asItself = (one: Call): Attempt => ({
  name: `${one.does}, as itself`,
  seen: true,
  async tries(thief, victim) {
    const input = one.input(victim);
    const token = await thief.own('monolith');
    return allRefused([
      await httpCall(thief.control, one, token, input),
      await httpCall(thief.control, one, token, input, { 'x-caller': one.by }),
      await callOverWs(thief.control, token, `${one.module}.${one.operation}`, { input }),
      await callOverWs(thief.control, token, `${one.module}.${one.operation}`, { input, caller: one.by }),
      await callOverWs(thief.control, token, `${one.module}.${one.operation}`, { input, caller: 'monolith' }),
    ]);
  },
});

const asOthers = (one: Call): Attempt => ({
  name: `${one.does}, as somebody else`,
  seen: true,
  async tries(thief, victim) {
    const input = one.input(victim);
    const answers: Answer[] = [];
    for (const name of [one.by, 'monolith']) {
      const tokens = await thief.forged(name, 'monolith');
      answers.push(...(await withEach(tokens, (token) => httpCall(thief.control, one, token, input))));
      const method = `${one.module}.${one.operation}`;
      const over = (token: string) => callOverWs(thief.control, token, method, { input });
      answers.push(...(await withEach(tokens, over)));
    }
    return allRefused(answers);
  },
});

async function ordersOrigin(thief: Thief): Promise<string> {
  const { modules } = await thief.snapshot();
  return modules.orders!.instances[0]!.url;
}

const clients: readonly Attempt[] = [
  {
    name: "brings a client's request to another service, as only a gateway does",
    seen: true,
    async tries(thief, victim) {
      const origin = await ordersOrigin(thief);
      const tokens = [await thief.own('orders'), ...(await thief.forged('monolith', 'orders'))];
      const headersOf = (token: string) => ({
        'x-internal-token': token,
        authorization: `Bearer ${victim.customer.token}`,
        'x-forwarded-for': '192.0.2.7',
      });
      const json = { lines: [{ productId: victim.product.id, quantity: 1 }], paymentToken: 'tok_declined' };
      const reads = (token: string) => ask(`${origin}/api/orders`, { headers: headersOf(token) });
      const places = (token: string) => {
        const headers = { ...headersOf(token), 'idempotency-key': 'stolen' };
        return ask(`${origin}/api/orders`, { method: 'POST', headers, json });
      };
      return allRefused([...(await withEach(tokens, reads)), ...(await withEach(tokens, places))]);
    },
  },
  {
    name: "brings a client's call to another service, as only a gateway does",
    seen: true,
    async tries(thief, victim) {
      const origin = await ordersOrigin(thief);
      const params = { input: {}, authorization: `Bearer ${victim.customer.token}` };
      const tokens = [await thief.own('orders'), ...(await thief.forged('monolith', 'orders'))];
      return allRefused(
        await withEach(tokens, (token) => callOverWs(origin, token, 'client:orders.list', params)),
      );
    },
  },
  {
    name: 'guesses passwords past the gateway, from made-up addresses',
    seen: true,
    async tries(thief, victim) {
      const guess = { email: victim.customer.email, password: 'a guess at a password' };
      const answers: Answer[] = [];
      const tokens = [await thief.own('monolith'), ...(await thief.forged('monolith', 'monolith'))];
      for (const n of [1, 2, 3]) {
        const guesses = (token: string) => {
          const headers = { 'x-internal-token': token, 'x-forwarded-for': `192.0.2.${n}` };
          return ask(`${thief.control}/api/users/sessions`, { method: 'POST', headers, json: guess });
        };
        answers.push(...(await withEach(tokens, guesses)));
      }
      const judged = answers.find(({ body }) => body?.code === 'bad-credentials');
      return judged ? `it was judged: ${judged.text}` : allRefused(answers);
    },
  },
  {
    name: 'guesses passwords at the gateway, from made-up addresses',
    // That the account is locked for a while is what anybody can do; addresses must not be believed.
    async tries(thief) {
      const answers: Answer[] = [];
      for (let n = 0; n < 3; n += 1) {
        const headers = {
          'x-forwarded-for': `192.0.2.${n}`,
          'x-internal-token': await thief.own('monolith'),
        };
        const json = { email: 'nobody@example.com', password: 'a guess at a password' };
        answers.push(await ask(`${thief.publicUrl}/api/users/sessions`, { method: 'POST', headers, json }));
      }
      return allRefused(answers, [401, 429]);
    },
  },
];

const doors: readonly Attempt[] = [
  {
    name: 'comes in with a token for another audience',
    seen: true,
    async tries(thief) {
      const origin = await ordersOrigin(thief);
      const answers: Answer[] = [];
      for (const audience of ['media', 'control', 'catalog', 'orders-1', 'Orders', 'order', '', '*']) {
        const token = await thief.own(audience);
        answers.push(await ask(`${origin}/calls`, { headers: { authorization: `Bearer ${token}` } }));
        answers.push(await callOverWs(origin, token, 'orders.list', { input: {} }));
      }
      for (const audience of ['media', 'orders', 'control', 'monolith-1'])
        answers.push(
          await ask(`${thief.control}/calls`, {
            headers: { authorization: `Bearer ${await thief.own(audience)}` },
          }),
        );
      return allRefused(answers, [401, 403]);
    },
  },
  {
    name: 'comes in without a token',
    seen: true,
    async tries(thief, victim) {
      const origin = await ordersOrigin(thief);
      const answers: Answer[] = [];
      for (const to of [origin, thief.control])
        for (const headers of [
          {},
          { authorization: `Bearer ${victim.customer.token}` },
          { 'x-internal-token': victim.customer.token },
          { authorization: 'Bearer ' },
        ] as Record<string, string>[])
          for (const path of [
            '/calls',
            '/api/orders',
            '/api/users/me',
            '/admin/placements',
            '/%63alls',
            '//calls',
          ])
            answers.push(await ask(`${to}${path}`, { headers }));
      return allRefused(answers, [400, 401, 404]);
    },
  },
  {
    name: 'says what a gateway would, on the public port',
    async tries(thief, victim) {
      const token = await thief.own('monolith');
      const answers: Answer[] = [];
      for (const path of ['/calls/users/getUser', '/control/sync', '/control/keys', '/metrics', '/calls'])
        for (const method of ['GET', 'POST']) {
          const headers = {
            authorization: `Bearer ${token}`,
            'x-internal-token': token,
            'x-caller': 'orders',
          };
          const json = method === 'POST' ? { userId: victim.customer.id } : undefined;
          answers.push(await ask(`${thief.publicUrl}${path}`, { method, headers, json }));
        }
      return allRefused(answers);
    },
  },
];

export const everyCall: readonly Attempt[] = [
  ...calls.map(asItself),
  ...calls.map(asOthers),
  ...clients,
  ...doors,
  {
    name: 'asks an operation that no module has for others',
    async tries(thief) {
      const token = await thief.own('monolith');
      const names = [
        'users/register',
        'users/administer',
        'catalog/createProduct',
        'orders/setSagaStyle',
        'kernel/x',
      ];
      const answers: Answer[] = [];
      for (const name of names)
        answers.push(
          await ask(`${thief.control}/calls/${name}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${token}`, 'x-caller': 'monolith' },
            json: {},
          }),
        );
      const reached = answers.find(({ status }) => status === 422);
      if (reached) return `it looked at the input: ${reached.text.slice(0, 200)}`;
      return allRefused(answers);
    },
  },
];
