// Traces over hosts, by real processes: an order found by its id, through gateway, call, outbox and consumer; nothing kept
// before somebody asks; a host that is gone shown as missing.
import { beforeAll, expect, it } from 'vitest';
import { type Customer, eventually, withShop } from './shop.ts';

interface Span {
  id: string;
  parent: string | null;
  name: string;
  kind: string;
  host: string;
  side: string;
  module: string;
  waitedMs?: number;
}

withShop((shop) => {
  let customer: Customer;
  let productId: string;
  beforeAll(async () => {
    customer = await shop().customer();
    productId = (await shop().product({ stock: 1000 })).id;
  });

  const admin = (path: string) => shop().call('GET', path, { token: shop().adminToken });
  const order = () => shop().order(customer, [{ productId, quantity: 1 }]);
  const traceOf = async (key: string) => {
    const list = await admin(`/admin/traces?key=${key}`);
    expect(list.status).toBe(200);
    expect(list.body.silent).toEqual([]);
    return list.body.items as {
      trace: string;
      name: string;
      rooted: boolean;
      modules: string[];
      failed: boolean;
    }[];
  };
  const shown = async (trace: string) => {
    const { status, body } = await admin(`/admin/traces/${trace}`);
    expect(status).toBe(200);
    return body as { spans: Span[]; missing: { where: string; what: string }[]; failed: boolean };
  };
  /** Of the order, once its mail is sent. */
  const whole = (id: string) =>
    eventually(async () => {
      const [found] = (await traceOf(id)).filter(({ name }) => name === 'POST /api/orders');
      const trace = await shown(found!.trace);
      expect(trace.spans.map(({ name }) => name)).toContain('handle orders.order-confirmed.v1');
      return { found: found!, ...trace };
    });

  it('keeps nothing before somebody asks', async () => {
    const { id } = await order();
    // What comes of it later may be seen; where it began was before.
    expect((await traceOf(id)).filter(({ rooted }) => rooted)).toEqual([]);
    const unknown = await admin('/admin/traces/00000000000000000000000000000001');
    expect([unknown.status, unknown.body.code]).toEqual([404, 'trace-unknown']);
  });

  it('finds an order by its id, in one process', async () => {
    const { id } = await order();
    const { found, spans, missing } = await whole(id);
    expect(found.rooted).toBe(true);
    expect(found.modules).toEqual(expect.arrayContaining(['orders', 'catalog', 'payments']));
    expect(missing).toEqual([]);
    expect(new Set(spans.map(({ side }) => side))).toEqual(new Set(['in-process']));
    const named = (name: string) => spans.find((span) => span.name === name)!;
    const root = named('POST /api/orders');
    expect(named('catalog/priceProducts')).toMatchObject({ kind: 'internal', parent: root.id });
    expect(named('outbox orders.order-placed.v1')).toMatchObject({ kind: 'producer', parent: root.id });
    const handled = spans.find(
      ({ name, module }) => name === 'handle orders.order-placed.v1' && module === 'catalog',
    )!;
    expect(handled).toMatchObject({ kind: 'consumer', parent: root.id });
    expect(handled.waitedMs).toBeGreaterThanOrEqual(0);
  });

  it('finds it alike over hosts, and says what is missing when one is gone', async () => {
    await shop().started.extract('catalog');
    const { id } = await order();
    const { found, spans, missing } = await whole(id);
    expect(missing).toEqual([]);
    expect(new Set(spans.map(({ host }) => host))).toEqual(new Set(['monolith', 'catalog-1']));
    const asked = spans.find(({ name, kind }) => name === 'catalog/priceProducts' && kind === 'client')!;
    const served = spans.find(({ name, kind }) => name === 'catalog/priceProducts' && kind === 'server')!;
    expect([asked.host, served.host, served.parent]).toEqual(['monolith', 'catalog-1', asked.id]);
    expect(served.side).toBe('service');
    await shop().started.restore('catalog');
    const after = await shown(found.trace);
    expect(after.missing.map(({ where }) => where)).toContain('below');
    expect(after.missing.map(({ what }) => what).join()).toContain('catalog');
    const filtered = await admin('/admin/traces?module=media');
    expect(filtered.body.items).toEqual([]);
  });
});
