// docs/protocol.md as it is read by somebody who has nothing else: a service in Python registers with a key that was
// issued, takes a module over, lets in whom the page says and nobody else, and is out when its key is revoked.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalContract } from '../src/banyan/placement/canonical.ts';
import { media } from '../src/modules/media/contract.ts';
import { tokensAs } from '../stage/ring.ts';
import { overview, place } from './flip-modules.ts';
import { clientOf, eventually, type Shop } from './shop.ts';
import { installationOf, startShop } from './start-shop.ts';

const script = fileURLToPath(new URL('protocol.py', import.meta.url));
/** Python's standard library has no Ed25519. */
const able = spawnSync('python3', ['-c', 'import cryptography']).status === 0;

describe.skipIf(!able)('a service in Python', () => {
  let shop: Shop;
  let python: ChildProcess;
  let said = '';
  let kid: string;
  beforeAll(async () => {
    shop = clientOf(await startShop());
    const { body } = await shop.call('POST', '/admin/keys', {
      token: shop.adminToken,
      body: { name: 'media' },
    });
    kid = body.kid;
    const env = {
      PATH: process.env.PATH!,
      HOME: process.env.HOME!,
      CONTROL_URL: /INTERNAL_PORT is open at (http:\S+?)"/.exec(shop.started.output())![1]!,
      SERVICE_KEY: JSON.stringify(body.key),
      INSTANCE_ID: 'media-7',
      CONTRACT: JSON.stringify(canonicalContract(media)),
    };
    python = spawn('python3', [script], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    python.stdout!.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  });
  afterAll(async () => {
    python?.kill('SIGKILL');
    await shop?.started.stop();
  });
  const path = '/api/media/0192aaaa-0000-7000-8000-000000000000';

  test('registers, and takes the module over', async () => {
    await eventually(async () =>
      expect((await overview(shop, 'media')).instances).toMatchObject([{ id: 'media-7', healthy: true }]),
    );
    expect((await place(shop, 'media', 'service')).status).toBe(200);
    await eventually(async () => {
      const got = await shop.call('GET', path);
      expect([got.status, got.body.by]).toEqual([200, 'Python']);
      expect(got.headers.get('x-served-by')).toBe('media-7');
    });
  });

  test('lets gateways in, and no other service', async () => {
    const { url } = (await overview(shop, 'media')).instances[0]!;
    const ask = async (name: string, audience: string) => {
      const token = (await (await tokensAs(installationOf(shop.started), name)).mint(audience)) as string;
      return (await fetch(`${url}${path}`, { headers: { 'x-internal-token': token } })).status;
    };
    expect(await ask('monolith', 'media')).toBe(200);
    expect(await ask('monolith', 'orders')).toBe(401);
    expect(await ask('orders', 'media')).toBe(403);
  });

  test('is out at once when its key is revoked', async () => {
    expect((await place(shop, 'media', 'in-process')).status).toBe(200);
    const ended = once(python, 'exit');
    await shop.call('DELETE', `/admin/keys/${kid}`, { token: shop.adminToken });
    await ended;
    expect(said).toMatch(/^401 .*not known/m);
    expect((await overview(shop, 'media')).instances).toEqual([]);
  });
});
