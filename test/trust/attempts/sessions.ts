// What somebody tries to be somebody at the public port: sessions that were never begun, an operator's token out of what a
// service was told, and every operation that is for operators or administrators alone.
import { createHmac } from 'node:crypto';
import { importJWK, type JWK, SignJWT } from 'jose';
import { type Answer, type Attempt, allRefused, ask } from '../attempt.ts';
import { publicOf, type Thief } from '../thief.ts';
import type { Victim } from '../victim.ts';

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function sessionKeys(thief: Thief): Promise<JWK[]> {
  return (await ask(`${thief.publicUrl}/.well-known/jwks.json`)).body.keys;
}

/** Sessions of that user, signed in every way that the environment and public keys allow. */
async function forgedSessions(thief: Thief, user: string, role: string): Promise<string[]> {
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    ...{ iss: 'banyan', aud: 'banyan:sessions', sub: user, role, epoch: 0, jti: 'stolen' },
    ...{ iat: now, exp: now + 3600 },
  };
  const made = ['none', 'None', 'nOnE'].map((alg) => `${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}.`);
  const hmac = (head: object, secret: string | Buffer) => {
    const text = `${encoded({ alg: 'HS256', typ: 'JWT', ...head })}.${encoded(claims)}`;
    made.push(`${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`);
  };
  const keys = await sessionKeys(thief);
  for (const { kid, x } of keys) {
    hmac({ kid }, x!);
    hmac({ kid }, Buffer.from(x!, 'base64url'));
    hmac({ kid }, '');
    for (const secret of thief.secrets) hmac({ kid }, secret);
  }
  const own = thief.key;
  if (!own) return made;
  const key = await importJWK(own, 'EdDSA');
  const heads = [
    ...keys.map(({ kid }) => ({ kid })),
    { kid: own.kid },
    {},
    { jwk: publicOf(own) },
    { kid: own.kid, jwk: publicOf(own) },
    { jku: 'http://127.0.0.1:9/jwks.json', kid: own.kid },
  ];
  for (const head of heads)
    made.push(await new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', ...head }).sign(key));
  // As one of the other kind, by its own key.
  for (const other of [
    { iss: 'banyan:internal' },
    { aud: ['banyan:sessions', 'monolith'] },
    { aud: 'monolith' },
  ])
    made.push(
      await new SignJWT({ ...claims, ...other })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: own.kid! })
        .sign(key),
    );
  return made;
}

const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

/** Everything that it could show as an operator's token. */
async function credentials(thief: Thief, victim: Victim): Promise<string[]> {
  return [
    ...thief.secrets,
    ...(await forgedSessions(thief, victim.customer.id, 'admin')),
    await thief.own('monolith'),
    await thief.own('control'),
    await thief.own('banyan:sessions'),
  ];
}

interface Operation {
  readonly method: string;
  readonly path: string;
}

const someId = '0192aaaa-0000-7000-8000-00000000000e';

/** Of the public document: under /admin, and what a customer may not. */
async function privileged(thief: Thief): Promise<Operation[]> {
  const { body } = await ask(`${thief.publicUrl}/openapi.json`);
  return Object.entries(body.paths as Record<string, Record<string, { security?: object[] }>>).flatMap(
    ([path, operations]) =>
      Object.entries(operations)
        .filter(([, { security = [] }]) => security.some((one) => 'operator' in one))
        .map(([method]) => ({ method: method.toUpperCase(), path: path.replaceAll(/\{\w+\}/g, someId) })),
  );
}

const asks = (thief: Thief, { method, path }: Operation, headers: Record<string, string>) =>
  ask(`${thief.publicUrl}${path}`, {
    method,
    headers,
    json: method === 'GET' || method === 'DELETE' ? undefined : {},
  });

export const sessions: readonly Attempt[] = [
  {
    name: 'begins a session of a customer that nobody signed in',
    seen: true,
    async tries(thief, victim) {
      const answers: Answer[] = [];
      for (const token of await forgedSessions(thief, victim.customer.id, 'customer'))
        for (const path of ['/api/users/me', '/api/orders', '/api/payments'])
          answers.push(await ask(`${thief.publicUrl}${path}`, { headers: bearing(token) }));
      return allRefused(answers, [401, 404, 429]);
    },
  },
  {
    name: 'shows a token between hosts as a session, or as an operator',
    seen: true,
    async tries(thief) {
      const answers: Answer[] = [];
      for (const audience of ['monolith', 'orders', 'control', 'banyan:sessions', 'media'])
        for (const path of ['/api/users/me', '/api/orders', '/admin/placements'])
          answers.push(
            await ask(`${thief.publicUrl}${path}`, { headers: bearing(await thief.own(audience)) }),
          );
      return allRefused(answers, [401, 404, 429]);
    },
  },
  {
    name: 'uses an operation of operators or administrators without anything',
    seen: true,
    async tries(thief) {
      const answers: Answer[] = [];
      const operations = await privileged(thief);
      if (operations.length < 20) return `only ${operations.length} are documented`;
      for (const operation of operations) {
        answers.push(await asks(thief, operation, {}));
        answers.push(await asks(thief, operation, { 'x-changed-by': 'ops', 'x-forwarded-for': '127.0.0.1' }));
      }
      return allRefused(answers, [401, 404, 429]);
    },
  },
  {
    name: 'uses an operation of operators or administrators with what it has',
    seen: true,
    async tries(thief, victim) {
      const all = await credentials(thief, victim);
      const operations = await privileged(thief);
      // One that only reads tells whether a credential is any good; the others get those that are new in kind.
      const answers: Answer[] = [];
      for (const token of all)
        answers.push(await ask(`${thief.publicUrl}/admin/placements`, { headers: bearing(token) }));
      const taken = answers.findIndex(({ status }) => status < 400);
      if (taken >= 0)
        return `/admin/placements: ${answers[taken]!.status} for ${Object.keys(thief.env).find((name) => thief.env[name] === all[taken]) ?? 'a forged one'}`;
      for (const operation of operations)
        for (const token of [all[0]!, ...all.slice(-4)])
          answers.push(await asks(thief, operation, bearing(token)));
      return allRefused(answers, [401, 403, 404, 429]);
    },
  },
  {
    name: "asks at a monolith's internal port what an operator may",
    seen: true,
    async tries(thief, victim) {
      const answers: Answer[] = [];
      for (const token of (await credentials(thief, victim)).slice(0, 12))
        for (const internal of [await thief.own('monolith'), await thief.own('control')])
          for (const path of [
            '/admin/placements',
            '/api/payments/sandbox/charges',
            '/admin/keys',
            '/admin/operators',
          ]) {
            const headers = { 'x-internal-token': internal, ...bearing(token) };
            answers.push(await ask(`${thief.control}${path}`, { headers }));
          }
      return allRefused(answers, [401, 403, 404]);
    },
  },
];
