// Comparisons that are asked for at a host: one at a time, its words and its report on every host, cancelled, and what became of
// one whose host was killed.
import { describe, expect, it } from 'vitest';
import { clientOf, eventually, withShop } from './shop.ts';

interface Comparison {
  id: string;
  state: string;
  command: string;
  finding: string | null;
  lines: { text: string }[];
  hasReport: boolean;
}

withShop(
  (shop) => {
    const ask = async (method: string, path: string, body?: unknown) =>
      clientOf(shop().started).call(method, `/admin/compares${path}`, { token: shop().adminToken, body });
    const start = async (body: unknown): Promise<Comparison> => {
      const answer = await ask('POST', '', body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(202);
      return answer.body;
    };
    const inState = (id: string, state: string) =>
      eventually(async () => {
        const { body } = await ask('GET', `/${id}`);
        expect(body.state, body.finding).toBe(state);
        return body as Comparison;
      }, 30_000);

    describe('a comparison', () => {
      it('is started, says what it does, and has its report', async () => {
        const begun = await start({ a: 'monolith', b: 'services:orders', length: 'quick', work: 'mixed' });
        expect(begun).toMatchObject({
          state: 'running',
          command: 'banyan compare --a monolith --b services:orders --work mixed --quick',
        });
        const done = await inState(begun.id, 'done');
        expect(done.lines.map(({ text }) => text)).toContain('prepare: two databases');
        expect(done).toMatchObject({ hasReport: true });
        const report = await ask('GET', `/${begun.id}/report`);
        expect(report.body.finding).toBe(done.finding);
        const twice = await start({ work: 'mixed' });
        await inState(twice.id, 'done');
        const diff = await ask('GET', `/${twice.id}/diff?old=${begun.id}`);
        expect(diff.body).toMatchObject({ worse: 1, changes: [{ title: 'Median' }] });
      });

      it('runs alone, and is cancelled', async () => {
        const begun = await start({ work: 'long' });
        const other = await ask('POST', '', { work: 'mixed' });
        expect([other.status, other.body.code]).toEqual([409, 'comparison-running']);
        expect((await ask('DELETE', `/${begun.id}`)).status).toBe(200);
        expect((await inState(begun.id, 'cancelled')).finding).toContain('cancelled');
        expect((await ask('GET', `/${begun.id}/report`)).body.code).toBe('no-report');
      });

      it('says why it broke off; what is asked for must be there', async () => {
        const { id } = await start({ work: 'broken' });
        expect((await inState(id, 'failed')).finding).toContain('The disk is full');
        expect((await ask('POST', '', { work: 'other' })).body.errors).toMatchObject([{ path: '/work' }]);
        expect((await ask('POST', '', { a: '--out /etc' })).status).toBe(422);
        expect((await ask('GET', '/.%2e%2fetc')).status).toBeGreaterThanOrEqual(400);
      });

      it('whose host was killed is over, and the next one may begin', async () => {
        const { id } = await start({ work: 'long' });
        await eventually(async () =>
          expect((await ask('GET', `/${id}`)).body.lines.length).toBeGreaterThan(0),
        );
        shop().started.host.kill();
        await shop().started.host.ended;
        await shop().started.restart();
        expect((await inState(id, 'lost')).finding).toContain('monolith');
        const next = await start({ work: 'long' });
        expect((await ask('DELETE', `/${next.id}`)).status).toBe(200);
        await inState(next.id, 'cancelled');
      });
    });
  },
  { entry: 'test/console/quick-shop.ts' },
);
