// Everything that somebody changed, in one list by time, whatever keeps it: found by who, by module, by time; page by page with
// none left out.
import pg from 'pg';
import { expect, it } from 'vitest';
import { withShop } from './shop.ts';

interface Entry {
  id: string;
  at: string;
  source: string;
  module: string | null;
  actor: string;
  by: string | null;
  what: string;
  reason: string | null;
}

withShop((shop) => {
  const admin = async (method: string, path: string, body?: unknown, by = 'grace') => {
    const answer = await shop().call(method, path, {
      token: shop().adminToken,
      body,
      headers: { 'x-changed-by': by },
    });
    expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
    return answer.body;
  };
  const inDatabase = async (text: string) => {
    const client = new pg.Client({ connectionString: shop().started.databaseUrl });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  const list = (query: string) =>
    admin('GET', `/admin/audit?${query}`) as Promise<{
      items: Entry[];
      nextCursor: string | null;
      silent: string[];
    }>;

  it('has what is kept of placements, operators, sagas, events and keys, newest first', async () => {
    await admin('POST', '/admin/operators', { name: 'linus', scopes: ['read'] });
    await admin('PUT', '/admin/saga', { style: 'orchestration' });
    await admin('PUT', '/admin/saga', { style: 'choreography' }, 'hopper');
    await admin('DELETE', '/admin/operators/linus');
    await inDatabase(
      `INSERT INTO orders.event_audit (id, action, by, event_id, why) VALUES (gen_random_uuid(), 'drop', 'ada', gen_random_uuid(), 'a test')`,
    );
    const { items, silent } = await list('limit=100');
    expect(silent).toEqual([]);
    const times = items.map(({ at }) => at);
    expect(times).toEqual(times.toSorted().reverse());
    const sources = new Set(items.map(({ source }) => source));
    expect([...sources]).toEqual(expect.arrayContaining(['placement', 'operator', 'saga', 'key', 'event']));
    const of = (what: string) => items.find((one) => one.what.includes(what));
    expect(of('added the operator linus')).toMatchObject({ actor: 'operator', by: 'operator (grace)' });
    expect(of('dropped the event')).toMatchObject({ module: 'orders', by: 'ada', reason: 'a test' });
    expect(of('revoked the operator linus')).toMatchObject({ source: 'operator' });
    expect(of('chose choreography')).toMatchObject({ by: 'operator (hopper)', module: 'orders' });
  });

  it('keeps every change of what is one row, and who made it', async () => {
    for (let n = 0; n < 2; n += 1) {
      await admin('POST', '/admin/operators', { name: 'linus', scopes: ['read'] });
      await admin('DELETE', '/admin/operators/linus', undefined, 'katherine');
    }
    await admin('POST', '/admin/keys/seal/rotate');
    const { key } = await admin('POST', '/admin/keys', { name: 'media' });
    await admin('DELETE', `/admin/keys/${key.kid}`, undefined, 'katherine');
    const told = async (source: string) =>
      (await list(`source=${source}&limit=100`)).items.map(({ what, by }) => `${by}: ${what}`);
    const times = (all: readonly string[], one: string) => all.filter((line) => line.startsWith(one)).length;
    const operators = await told('operator');
    expect(times(operators, 'operator (grace): added the operator linus')).toBe(3);
    expect(times(operators, 'operator (katherine): revoked the operator linus')).toBe(2);
    expect(times(operators, 'operator (grace): revoked the operator linus')).toBe(1);
    const keys = await told('key');
    expect(times(keys, 'operator (grace): put another key in place of one of media (seal)')).toBe(1);
    expect(times(keys, 'operator (grace): made a key of media (internal)')).toBe(1);
    expect(times(keys, 'operator (katherine): revoked a key of media (internal)')).toBe(1);
    expect(times(await told('saga'), 'operator (grace): chose orchestration')).toBe(1);
    await admin('PUT', '/admin/services/media', { instances: 1 });
    await admin('PUT', '/admin/services/media', { instances: 1 });
    await admin('PUT', '/admin/services/media', { instances: 0 });
    expect(await told('service')).toEqual([
      'operator (grace): wanted no process of media',
      'operator (grace): wanted 1 process of media',
    ]);
  });

  it('has the style that a version before chose, which noted no acts', async () => {
    await inDatabase('CREATE TABLE orders.kept AS TABLE orders.saga_act; DELETE FROM orders.saga_act');
    try {
      const { items } = await list('source=saga');
      expect(items).toMatchObject([
        { what: 'chose choreography for sagas that begin', by: 'operator (hopper)' },
      ]);
    } finally {
      await inDatabase('INSERT INTO orders.saga_act SELECT * FROM orders.kept; DROP TABLE orders.kept');
    }
  });

  it('is filtered by who, by module, by kind and by time', async () => {
    const hopper = await list('actor=hopper');
    expect(hopper.items.map(({ what }) => what)).toEqual(['chose choreography for sagas that begin']);
    const orders = await list('module=orders&limit=100');
    expect(new Set(orders.items.map(({ module }) => module))).toEqual(new Set(['orders']));
    for (const source of ['operator', 'saga', 'event', 'key']) {
      const { items } = await list(`source=${source}&limit=100`);
      expect(new Set(items.map((one) => one.source)), source).toEqual(new Set([source]));
    }
    const [newest] = (await list('limit=1')).items;
    expect(
      (await list(`from=${encodeURIComponent(new Date(Date.now() + 60_000).toISOString())}`)).items,
    ).toEqual([]);
    const before = await list(`to=${encodeURIComponent(newest!.at)}&limit=100`);
    expect(before.items.map(({ id }) => id)).not.toContain(newest!.id);
  });

  it('page by page has each entry once', async () => {
    const all = (await list('limit=100')).items.map(({ id }) => id);
    const paged: string[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof list>> = await list(
        `limit=3${cursor ? `&cursor=${cursor}` : ''}`,
      );
      paged.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(paged).toEqual(all);
    expect(new Set(paged).size).toBe(paged.length);
    const wrong = await shop().call('GET', '/admin/audit?cursor=abc', { token: shop().adminToken });
    expect([wrong.status, wrong.body.code]).toEqual([422, 'bad-cursor']);
    const noDay = Buffer.from('9999-99-99T99:99:99.999999Z~x').toString('base64url');
    for (const [query, code] of [
      [`cursor=${noDay}`, 'bad-cursor'],
      ['actor=%00', 'invalid'],
      ['module=%00', 'invalid'],
    ]) {
      const refused = await shop().call('GET', `/admin/audit?${query}`, { token: shop().adminToken });
      expect([refused.status, refused.body.code], query).toEqual([422, code]);
    }
  });
});
