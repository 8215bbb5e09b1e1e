// What somebody tries with the machine and the server beside rights: files that the environment names, locks, floods,
// connections, a transaction without end, the password and the settings that a role may change itself. What PostgreSQL
// lets every role do must cost others nothing.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type pg from 'pg';
import { eventually } from '../../shop.ts';
import { type Attempt, Refused } from '../attempt.ts';
import type { Thief } from '../thief.ts';
import type { Victim } from '../victim.ts';

/** While it goes on, others buy as ever. Answers what they cannot. */
async function costs(victim: Victim): Promise<string | undefined> {
  try {
    await victim.buys();
    const customer = await victim.shop.customer();
    const me = await victim.shop.call('GET', '/api/users/me', { token: customer.token });
    return me.status === 200 ? undefined : `who is new gets ${me.status}`;
  } catch (error) {
    return `nobody can buy: ${(error as Error).message}`;
  }
}

const folders = (thief: Thief) =>
  Object.entries(thief.env)
    .filter(([name]) => !['PATH', 'HOME', 'PWD', 'TMPDIR', 'NODE_OPTIONS'].includes(name))
    .flatMap(([, value]) => {
      if (value.startsWith('file:')) return [fileURLToPath(value)];
      return value.startsWith('/') && existsSync(value) ? [value] : [];
    });

function* filesIn(folder: string): Generator<string> {
  if (!statSync(folder).isDirectory()) {
    yield folder;
    return;
  }
  for (const name of readdirSync(folder)) {
    // The server's own files belong to another user.
    if (name !== 'postgres') yield* filesIn(join(folder, name));
  }
}

const holds = (text: string, secrets: ReadonlyMap<string, string>) =>
  [...secrets].flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

const files: readonly Attempt[] = [
  {
    name: 'was given a secret of others in its environment',
    async tries(thief, victim) {
      const found = Object.entries(thief.env).flatMap(([variable, value]) =>
        holds(value, victim.secrets()).map((name) => `${name} in ${variable}`),
      );
      if (found.length > 0) return found.join(', ');
      throw new Refused('none');
    },
  },
  {
    name: 'finds a secret of others in a folder that its environment names',
    async tries(thief, victim) {
      const found = folders(thief).flatMap((folder) =>
        [...filesIn(folder)].flatMap((path) =>
          statSync(path).size > 1_000_000
            ? []
            : holds(readFileSync(path, 'latin1'), victim.secrets()).map((name) => `${name} in ${path}`),
        ),
      );
      if (found.length > 0) return found.join(', ');
      throw new Refused('none');
    },
  },
];

const lockers = ['', '_shared', '_xact', '_xact_shared'].map(
  (kind) => `pg_try_advisory${kind.replace('_shared', '')}_lock${kind.endsWith('_shared') ? '_shared' : ''}`,
);

/** Every lock that somebody holds or waits for, and those that the source names. Answers how many ways there were. */
async function takeLocks(client: pg.Client): Promise<number> {
  const groups = ['users', 'catalog', 'orders', 'payments', 'notifications', 'media'];
  const named = groups.map((group) => `(hashtext('banyan_log'), hashtext('${group}'))`).join(', ');
  let ways = 0;
  for (const lock of lockers) {
    await client.query('SAVEPOINT one');
    try {
      // Those of one number are everybody's, and a session's own outlive what is rolled back; those of two may be refused.
      await client.query(`SELECT ${lock}(k) FROM generate_series(7220000, 7220020) k`);
      await client.query(`SELECT ${lock}(a, b) FROM (VALUES ${named}) AS k (a, b)`);
      await client.query(`
        SELECT CASE WHEN objsubid = 2 THEN ${lock}(classid::int, objid::int)
          ELSE ${lock}((classid::bigint << 32) | objid::bigint) END
        FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()`);
      ways += 1;
    } catch (error) {
      if ((error as { code?: string }).code !== '42501') throw error;
      await client.query('ROLLBACK TO one');
    }
  }
  return ways;
}

const server: readonly Attempt[] = [
  {
    name: 'takes every lock that the kernel of the database gives to all',
    moves: true,
    async tries(thief, victim) {
      for (const url of thief.databases) {
        const client = await thief.connect(url);
        try {
          await client.query('BEGIN');
          if ((await takeLocks(client)) === 0) throw new Refused('none of the functions is its to call');
          // Some are held for moments alone: it is quick, too.
          for (let round = 0; round < 40; round += 1) await takeLocks(client);
          const cost = await costs(victim);
          if (cost) return cost;
          if (!(await victim.startsAnother(25_000))) return `no other monolith starts: ${victim.lastWords}`;
        } finally {
          await thief.hangUp(client);
        }
      }
      return undefined;
    },
  },
  {
    name: 'notifies without end, and of what is not so',
    moves: true,
    async tries(thief, victim) {
      for (const url of thief.databases) {
        const client = await thief.connect(url);
        try {
          for (const channel of ['banyan_control', 'banyan_log', 'banyan_events', 'orders', 'events'])
            for (const payload of [
              '999999999',
              'x group:orders topic:orders.events:0,1,2,3,4,5',
              'revoked',
              '',
            ])
              await client.query('SELECT pg_notify($1, $2 || n) FROM generate_series(1, 2000) n', [
                channel,
                payload,
              ]);
          const cost = await costs(victim);
          if (cost) return cost;
        } finally {
          await thief.hangUp(client);
        }
      }
      return undefined;
    },
  },
  {
    name: 'takes every connection that it gets',
    moves: true,
    async tries(thief, victim) {
      const held: pg.Client[] = [];
      for (const url of thief.databases)
        for (let n = 0; n < 250; n += 1) {
          const client = await thief.connect(url).catch(() => undefined);
          if (!client) break;
          held.push(client);
        }
      try {
        const cost =
          (await costs(victim)) ??
          ((await victim.startsAnother(25_000))
            ? undefined
            : `no other monolith starts: ${victim.lastWords}`);
        return cost && `with ${held.length} connections: ${cost}`;
      } finally {
        await Promise.all(held.map((client) => thief.hangUp(client)));
      }
    },
  },
  {
    name: 'keeps a transaction open without end',
    moves: true,
    async tries(thief, victim) {
      const open: pg.Client[] = [];
      try {
        for (const url of thief.databases) {
          const client = await thief.connect(url);
          open.push(client);
          await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
          await client.query('SELECT pg_current_xact_id(), txid_current_snapshot()');
        }
        return await costs(victim);
      } finally {
        await Promise.all(open.map((client) => thief.hangUp(client)));
      }
    },
  },
];

/** What a role may change of itself is noticed and put right: a fresh connection is as before within the time. */
const putRight = (
  name: string,
  change: string,
  isRight: (client: pg.Client) => Promise<boolean>,
): Attempt => ({
  name,
  seen: true,
  moves: true,
  async tries(thief, victim) {
    const [url] = thief.databases;
    await thief.sql(change);
    try {
      await eventually(async () => {
        const client = await thief.connect(url!);
        try {
          if (!(await isRight(client))) throw new Error('it is as the attacker set it');
        } finally {
          await thief.hangUp(client);
        }
      }, 45_000);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    } finally {
      await victim.ask('ALTER ROLE banyan_media RESET default_transaction_read_only');
    }
  },
});

const roles: readonly Attempt[] = [
  putRight(
    'makes the service read only by the settings of its role',
    'ALTER ROLE CURRENT_USER SET default_transaction_read_only = on',
    async (client) =>
      (await client.query('SHOW default_transaction_read_only')).rows[0].default_transaction_read_only ===
      'off',
  ),
  putRight(
    'takes the search path from its role',
    'ALTER ROLE CURRENT_USER SET search_path = public',
    async (client) => (await client.query('SHOW search_path')).rows[0].search_path === 'media',
  ),
  // Last of all: where nobody puts it right, the service is shut out.
  putRight('changes the password of its role', `ALTER ROLE CURRENT_USER PASSWORD 'stolen'`, async () => true),
];

export const machine: readonly Attempt[] = [...files, ...server, ...roles];
