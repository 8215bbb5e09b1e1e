// Bad credentials: none, of the wrong kind, expired, forged, revoked; and somebody who may not.
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { publicHalf } from '../src/banyan/identity/keys.ts';
import { createSessionSigner } from '../src/banyan/identity/session-token.ts';
import { tokensAs } from '../stage/ring.ts';
import type { Case, Sent, World } from './bad-input.ts';
import { installationOf } from './start-shop.ts';

const withToken =
  (token: (world: World) => string, path = '/api/orders') =>
  (world: World): Sent => ({
    path,
    token: token(world),
  });
const withHeader = (authorization: string) => (): Sent => ({
  path: '/api/orders',
  headers: { authorization },
});
const nobody =
  (path: string, method = 'GET') =>
  (): Sent => ({ path, method });

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Parts of the customer's own token, put together anew. */
function rebuilt(
  token: string,
  change: (header: object, payload: object) => [object, object],
  sign = false,
): string {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const parts = change(decode(header), decode(payload));
  return `${encode(parts[0])}.${encode(parts[1])}.${sign ? signature : ''}`;
}

function decode(part: string): object {
  return JSON.parse(Buffer.from(part, 'base64url').toString()) as object;
}

/** Tokens that take time to sign, made once per world. */
export interface Forged {
  readonly otherKey: string;
  readonly hs256: string;
  readonly internal: string;
  readonly otherAudience: string;
  readonly noRole: string;
  readonly forever: string;
}

export async function forge(world: World): Promise<Forged> {
  const subject = { id: world.customer.id, role: 'customer' as const, epoch: 0 };
  const { kid } = publicHalf(world.signingKey);
  const stranger = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  const otherKey = (await createSessionSigner({ ...stranger, kid: kid! } as never).sign(subject)).token;
  const { importJWK } = await import('jose');
  const key = await importJWK(world.signingKey, 'EdDSA');
  const jwt = (claims: object) =>
    new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: kid!, typ: 'JWT' })
      .setSubject(subject.id)
      .setIssuer('banyan')
      .setIssuedAt();
  // The public half as the secret of an HMAC: what a verifier that trusts `alg` would accept.
  const body = rebuilt(world.customer.token, (_header, payload) => [
    { alg: 'HS256', kid, typ: 'JWT' },
    payload,
  ]);
  const signed = body.slice(0, -1);
  const hs256 = `${signed}.${createHmac('sha256', Buffer.from(world.signingKey.x!, 'base64url')).update(signed).digest('base64url')}`;
  return {
    otherKey,
    hs256,
    internal: await (await tokensAs(installationOf(world.shop.started), 'monolith')).mint('orders'),
    otherAudience: await jwt({ role: 'customer', epoch: 0 })
      .setAudience('others')
      .setExpirationTime('1h')
      .sign(key),
    noRole: await jwt({ epoch: 0 }).setAudience('banyan:sessions').setExpirationTime('1h').sign(key),
    forever: await jwt({ role: 'customer', epoch: 0 }).setAudience('banyan:sessions').sign(key),
  };
}

export const tokens = (forged: () => Forged): readonly Case[] => [
  { name: 'no token for the orders', send: nobody('/api/orders'), status: 401 },
  { name: 'no token for one’s account', send: nobody('/api/users/me'), status: 401 },
  { name: 'no token for an upload', send: nobody('/api/media', 'POST'), status: 401 },
  { name: 'no token for a new product', send: nobody('/api/catalog/products', 'POST'), status: 401 },
  { name: 'no token for the placements', send: nobody('/admin/placements'), status: 401 },
  { name: 'an expired token', send: withToken((world) => world.expired), status: 401 },
  {
    name: 'an expired token where none is needed',
    send: withToken((world) => world.expired, '/api/catalog/products'),
    status: 401,
  },
  { name: 'a token signed with another key', send: withToken(() => forged().otherKey), status: 401 },
  { name: 'a token signed with the public key', send: withToken(() => forged().hs256), status: 401 },
  {
    name: 'a token without a signature',
    send: withToken((world) =>
      rebuilt(world.customer.token, (_h, payload) => [{ alg: 'none', typ: 'JWT' }, payload]),
    ),
    status: 401,
  },
  {
    name: 'a token with another user in it',
    send: withToken((world) =>
      rebuilt(world.customer.token, (header, payload) => [header, { ...payload, sub: world.other.id }], true),
    ),
    status: 401,
  },
  {
    name: 'a token with another role in it',
    send: withToken((world) =>
      rebuilt(world.customer.token, (header, payload) => [header, { ...payload, role: 'admin' }], true),
    ),
    status: 401,
  },
  {
    name: 'a token that names its own key',
    send: withToken((world) =>
      rebuilt(
        world.customer.token,
        (header, payload) => [{ ...header, kid: 'mine', jku: 'http://127.0.0.1:9/keys' }, payload],
        true,
      ),
    ),
    status: 401,
  },
  { name: 'a token for others', send: withToken(() => forged().otherAudience), status: 401 },
  { name: 'a token without a role', send: withToken(() => forged().noRole), status: 401 },
  { name: 'a token without an end', send: withToken(() => forged().forever), status: 401 },
  { name: 'a token of hosts', send: withToken(() => forged().internal), status: 401 },
  { name: 'the token of a deleted user', send: withToken((world) => world.gone.token), status: 401 },
  { name: 'a token cut in half', send: withToken((world) => world.customer.token.slice(0, 60)), status: 401 },
  { name: 'a token of two dots', send: withToken(() => '..'), status: 401 },
  {
    name: 'a token of 10 kB',
    send: withToken(() => `${'a'.repeat(5000)}.${'b'.repeat(5000)}.c`),
    status: 401,
  },
  { name: 'garbage as a token', send: withToken(() => 'garbage'), status: 401 },
  { name: 'no word behind Bearer', send: withHeader('Bearer '), status: 401 },
  { name: 'two words behind Bearer', send: withHeader('Bearer a b'), status: 401 },
  { name: 'Basic credentials', send: withHeader('Basic YWRtaW46YWRtaW4='), status: 401 },
  { name: 'an empty Authorization', send: withHeader(''), status: 401 },
  {
    name: 'a wrong admin token',
    send: withToken((world) => `${world.admin}x`, '/admin/placements'),
    status: 401,
  },
  {
    name: 'a session at /admin',
    send: withToken((world) => world.customer.token, '/admin/placements'),
    status: 403,
  },
  {
    name: 'an admin’s session at /admin',
    send: withToken((world) => world.adminSession, '/admin/placements'),
    status: 403,
  },
  {
    name: 'a customer as an administrator',
    send: withToken((world) => world.customer.token, '/api/payments/sandbox/charges'),
    status: 403,
  },
  {
    name: 'a customer who blocks another',
    send: (world) => ({
      method: 'PATCH',
      path: `/api/users/${world.other.id}`,
      token: world.customer.token,
      body: { blocked: true },
    }),
    status: 403,
  },
  {
    name: 'a customer who adds a product',
    send: (world) => ({
      method: 'POST',
      path: '/api/catalog/products',
      token: world.customer.token,
      body: {},
    }),
    status: 403,
  },
  {
    name: 'a customer who mails',
    send: (world) => ({
      method: 'POST',
      path: '/api/notifications/send',
      token: world.customer.token,
      body: {},
    }),
    status: 403,
  },
  { name: 'the admin token as a customer', send: withToken((world) => world.admin), status: 403 },
  {
    name: 'the admin token where admins may',
    send: withToken((world) => world.admin, '/api/payments/sandbox/charges?limit=1'),
    status: 200,
  },
  {
    name: 'an admin’s session where admins may',
    send: withToken((world) => world.adminSession, '/api/payments/sandbox/charges?limit=1'),
    status: 200,
  },
  {
    name: 'the scheme in small letters',
    send: (world) => ({ path: '/api/orders', headers: { authorization: `bearer ${world.customer.token}` } }),
    status: 200,
  },
];
