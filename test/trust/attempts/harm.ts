// What somebody tries within the rights that a broken service keeps: its own name, its own module's requests, topic and
// tables. None of it may cost others more than that module.
import { randomBytes, randomUUID } from 'node:crypto';
import { type Answer, type Attempt, ask, Refused } from '../attempt.ts';
import { quiet, setTrap, type Thief } from '../thief.ts';
import type { Victim } from '../victim.ts';

const picture = '/api/media/01900000-0000-7000-8000-000000000001';

/** Enters the registry under its own name, and keeps the place while the work is done. */
async function serving<T>(
  thief: Thief,
  url: string,
  work: (host: string) => Promise<T>,
  { number = 77 } = {},
): Promise<T> {
  const mine = thief.registration(`media-${number}`, ['media'], { url });
  const { status, text } = await thief.sync({
    register: mine,
    beat: { host: mine.host, appliedVersion: 0, ...quiet },
  });
  if (status !== 200) throw new Refused(`${status} ${text}`);
  const beating = setInterval(async () => {
    const { version } = await thief.snapshot();
    await thief.sync({ beat: { host: mine.host, appliedVersion: version, ...quiet } });
  }, 300);
  try {
    return await work(mine.host);
  } finally {
    clearInterval(beating);
    await thief.sync({ leave: mine.host });
  }
}

/** How many requests a host has begun so far, by its own count. */
async function servedBy(thief: Thief): Promise<number> {
  const { text } = await ask(`${thief.control}/metrics`);
  const counts = text.matchAll(/^http_server_request_duration_seconds_count\{[^}]*\} (\d+)/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

async function buysStill(victim: Victim, what: string): Promise<string | undefined> {
  try {
    await victim.buys();
    return undefined;
  } catch (error) {
    return `${what}: nobody can buy: ${(error as Error).message}`;
  }
}

/** It decides by what was, and is busy, for ever: nothing that it says is so. Its own module and another's are taken home. */
const neverDone = (module: string): Attempt => ({
  name: `says that it never is done, so that ${module} cannot be taken home`,
  moves: true,
  async tries(thief, victim) {
    const mine = thief.registration('media-99', ['media']);
    const busy = { media: 9, orders: 9, users: 9 };
    const beat = { host: mine.host, appliedVersion: 0, ...quiet, busy, inflight: busy };
    const { status, text } = await thief.sync({ register: mine, beat });
    if (status !== 200) throw new Refused(`${status} ${text}`);
    const beating = setInterval(() => void thief.sync({ beat }).catch(() => {}), 500);
    try {
      await victim.admin('PUT', `/admin/placements/${module}`, { placement: 'in-process' });
      await victim.admin('PUT', `/admin/services/${module}`, { instances: 0, timeoutMs: 2_000 });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      clearInterval(beating);
      await thief.sync({ leave: mine.host });
      await victim.admin('PUT', `/admin/services/${module}`, { instances: 1 });
      await victim.admin('PUT', `/admin/placements/${module}`, { placement: 'service' });
    }
  },
});

const registry: readonly Attempt[] = [
  {
    name: 'counts requests of other modules, so that nobody of them is ever drained',
    moves: true,
    tries: (thief, victim) =>
      serving(thief, 'http://127.0.0.1:9', async (host) => {
        const counts = { orders: 5, users: 5, media: 1 };
        await thief.sync({ beat: { host, appliedVersion: 0, ...quiet, inflight: counts, busy: counts } });
        const [row] = await victim.ask(
          `SELECT inflight || busy AS said FROM banyan_control.host WHERE live AND host = $1`,
          [host],
        );
        const said = Object.keys(row!.said as object).filter((module) => module !== 'media');
        return said.length > 0 ? `it is believed of ${said}` : undefined;
      }),
  },
  ...['orders', 'media'].map(neverDone),
  {
    name: 'registers hundreds of processes of its own',
    moves: true,
    seen: true,
    async tries(thief, victim) {
      const all = Array.from({ length: 300 }, (_, n) => thief.registration(`media-${1000 + n}`, ['media']));
      const answers: Answer[] = [];
      try {
        for (let n = 0; n < all.length; n += 20)
          answers.push(
            ...(await Promise.all(
              all
                .slice(n, n + 20)
                .map((mine) =>
                  thief.sync({ register: mine, beat: { host: mine.host, appliedVersion: 0, ...quiet } }),
                ),
            )),
          );
        const cost = await buysStill(victim, `with ${answers.filter(({ status }) => status === 200).length}`);
        return cost;
      } finally {
        for (const { host } of all) await thief.sync({ leave: host });
      }
    },
  },
  {
    name: 'comes and goes without end',
    moves: true,
    async tries(thief, victim) {
      let over = false;
      const coming = Promise.all(
        Array.from({ length: 8 }, async (_, n) => {
          while (!over) await thief.registers(thief.registration(`media-${2000 + n}`, ['media']));
        }),
      );
      try {
        return await buysStill(victim, 'meanwhile');
      } finally {
        over = true;
        await coming;
      }
    },
  },
];

const requests: readonly Attempt[] = [
  {
    name: "has a gateway's requests come back to the gateway",
    moves: true,
    async tries(thief, victim) {
      const before = await servedBy(thief);
      let asked = 0;
      for (const url of [thief.publicUrl, thief.control])
        await serving(thief, url, async () => {
          for (let n = 0; n < 20; n += 1) {
            await victim.shop.call('GET', picture);
            asked += 1;
          }
        }).catch((error) => {
          if (!(error instanceof Refused)) throw error;
        });
      const served = (await servedBy(thief)) - before;
      return served > asked * 3 + 200 ? `${asked} requests became ${served}` : undefined;
    },
  },
  {
    name: 'answers with a page that browsers would run, or for the whole site',
    moves: true,
    async tries(thief, victim) {
      const trap = await setTrap({
        body: '<script>fetch("/admin/placements")</script>',
        headers: {
          'content-type': 'text/html',
          'content-security-policy': "default-src * 'unsafe-inline'",
          'x-content-type-options': 'off',
          'set-cookie': 'session=stolen; path=/',
          'strict-transport-security': 'max-age=0',
          'clear-site-data': '"*"',
          'access-control-allow-origin': '*',
          'service-worker-allowed': '/',
          'x-internal-token': 'stolen',
        },
      });
      try {
        return await serving(thief, trap.url, async () => {
          for (const until = Date.now() + 10_000; Date.now() < until; ) {
            const { headers, body, status } = await victim.shop.call('GET', picture);
            if (!String(body).includes('<script>')) continue;
            const csp = headers.get('content-security-policy') ?? '';
            const said = Object.entries({
              'content-security-policy': csp.includes('unsafe-inline') || !csp.includes("default-src 'none'"),
              'x-content-type-options': headers.get('x-content-type-options') !== 'nosniff',
              'x-served-by': headers.get('x-served-by') !== 'media-77',
              'x-internal-token': headers.has('x-internal-token'),
            }).flatMap(([name, is]) => (is ? [`${name}: ${headers.get(name)}`] : []));
            return said.length > 0 ? `${status} ${said.join(', ')}` : undefined;
          }
          throw new Error('no request of its own module came');
        });
      } finally {
        await trap.close();
      }
    },
  },
];

const named: Attempt = {
  name: 'answers as if another host had',
  moves: true,
  async tries(thief, victim) {
    const trap = await setTrap({
      headers: { 'content-type': 'text/html', 'x-served-by': 'monolith' },
      body: 'stolen',
    });
    try {
      return await serving(thief, trap.url, async () => {
        for (const until = Date.now() + 3_000; Date.now() < until; ) {
          const { headers, body } = await victim.shop.call('GET', picture);
          if (String(body).includes('stolen')) return `by ${headers.get('x-served-by')}`;
        }
        throw new Refused('it was taken for a stranger');
      });
    } finally {
      await trap.close();
    }
  },
};

const tables = ['event_outbox', 'event_delivery', 'event_key', 'event_lease', 'event_sent', 'pictures'];

const store: readonly Attempt[] = [
  {
    name: 'locks all of its own tables',
    moves: true,
    async tries(thief, victim) {
      const client = await thief.connect(thief.databases[0]!);
      try {
        await client.query('SET idle_in_transaction_session_timeout = 0').catch(() => {});
        await client.query('BEGIN');
        for (const table of tables) {
          await client.query('SAVEPOINT one');
          await client.query(`LOCK TABLE media.${table} IN ACCESS EXCLUSIVE MODE`).catch(async () => {
            await client.query('ROLLBACK TO one');
          });
        }
        const cost = await buysStill(victim, 'meanwhile');
        if (cost) return cost;
        return (await victim.startsAnother(25_000))
          ? undefined
          : `no other monolith starts: ${victim.lastWords}`;
      } finally {
        await thief.hangUp(client);
      }
    },
  },
  {
    name: 'appends what is too large for whoever reads it',
    moves: true,
    async tries(thief, victim) {
      const [topic] = await thief.sql(`SELECT id FROM banyan_log.topic_named('media.events')`);
      const value = randomBytes(16 * 1024 * 1024).toString('hex');
      const records = JSON.stringify([{ p: 0, k: randomUUID(), h: {}, v: value }]);
      let taken = 0;
      for (let n = 0; n < 2; n += 1)
        await thief.sql('SELECT banyan_log.append_to($1, $2::json)', [topic!.id, records]).then(
          () => {
            taken += 1;
          },
          (error) => {
            if (!(error instanceof Refused)) throw error;
          },
        );
      if (taken === 0) throw new Refused('none was taken');
      const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
      const asks = (path: string) =>
        victim.shop.call('GET', path, { token: victim.shop.adminToken }).then(
          ({ status }) => `${path} answers ${status}`,
          (error: Error) => `${path}: ${error.message}`,
        );
      const said = [
        await asks('/admin/events/verify'),
        await asks(`/admin/events/tail?topic=media.events&limit=100&from=${hourAgo}`),
      ];
      const cost = await buysStill(victim, 'after it');
      return `${said.join('; ')}; ${cost ?? 'people buy'}; ${taken} of 32 MB were taken`;
    },
  },
];

export const harm: readonly Attempt[] = [...registry, ...requests, named, ...store];
