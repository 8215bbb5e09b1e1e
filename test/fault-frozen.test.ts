// A host that stands still (SIGSTOP) while a module moves, and goes on afterwards: the flip does not wait for
// it, no client sees an error, and what it believed meanwhile takes no effect.
import { afterEach, expect, test } from 'vitest';
import { overview, place } from './flip-modules.ts';
import { Traffic } from './flip-traffic.ts';
import { eventually, withShop } from './shop.ts';

withShop((shop) => {
  const frozen = new Set<number>();
  const freeze = (pid: number) => {
    process.kill(pid, 'SIGSTOP');
    frozen.add(pid);
  };
  const thaw = (pid: number) => {
    process.kill(pid, 'SIGCONT');
    frozen.delete(pid);
  };
  afterEach(() => {
    for (const pid of frozen) thaw(pid);
  });

  const health = async () => (await overview(shop(), 'catalog')).instances.map(({ healthy }) => healthy);

  test('one of two instances, through a flip home and back', { timeout: 60_000 }, async () => {
    const traffic = new Traffic(shop(), 8);
    await traffic.prepare();
    await shop().started.extract('catalog', 2);
    const [first] = (await overview(shop(), 'catalog')).instances;
    await traffic.during(async () => {
      freeze(first!.pid);
      const home = await place(shop(), 'catalog', 'in-process');
      expect(home).toMatchObject({ status: 200, body: { placement: 'in-process', lagging: ['catalog-1'] } });
      // Silent for 3 s, it is not live any more: nobody waits for it, and nobody sends it anything.
      await eventually(async () => expect(await health()).toEqual([false, true]));
      const out = await place(shop(), 'catalog', 'service');
      expect(out.status).toBe(200);
      expect(out.body.lagging).toBeUndefined();
      thaw(first!.pid);
      await eventually(async () => expect(await health()).toEqual([true, true]));
    });
    expect((await overview(shop(), 'catalog')).instances[0]!.pid).toBe(first!.pid);
    console.log(traffic.done, traffic.slowest, Object.fromEntries(traffic.servedBy));
    expect(traffic.failures).toEqual([]);
    console.log(await traffic.check());
    await traffic.close();
  });
});
