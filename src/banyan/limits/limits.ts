// Limits against abuse that all hosts count together, in Postgres: so many requests of an address in a while, and
// waits that grow with wrong guesses at one secret. What is over a limit is refused with 429 and Retry-After.
// Guarantee: when the store does not answer the request fails with it; no limit opens.
// It knows no module: rules, subjects and addresses come from outside.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import { isTrial } from '../context/trial.ts';
import { libraryProblem } from '../contract/problem.ts';
import type { Sql } from '../store/store.ts';
import { clientOf, type IsExempt } from './address.ts';

/** So many in so many seconds, of one client. */
export interface AddressRule {
  /** Part of the key, and of what the client is told: "sign-ins". */
  readonly name: string;
  readonly most: number;
  readonly seconds: number;
}

export interface Limits {
  /** Counts one; throws 429 when it is over the rule. Exempt addresses are not counted. */
  take(rule: AddressRule, address: string | undefined): Promise<void>;
  /** Counts a guess at a secret, as wrong for now; throws 429 while this address has to wait. */
  guess(subject: string, address: string | undefined): Promise<void>;
  /** The guess was right. */
  right(subject: string, address: string | undefined): Promise<void>;
}

export interface LimitsOptions {
  /** Where to count; a commit need not wait for the disk. */
  readonly sql: Sql;
  readonly schema: string;
  readonly isExempt: IsExempt;
}

const SWEEP_EVERY_MS = 60_000;

export function createLimits({ sql, schema, isExempt }: LimitsOptions): Limits {
  const limiters = new Map<string, Promise<RateLimiterPostgres>>();
  /** Who was told to wait, until when: asking again meanwhile costs no round trip. */
  const refused = new LRUCache<string, number>({ max: 10_000 });
  const sweep = sweeper(sql, schema);
  const waits = (subject: string, address: string | undefined) => [digest(subject), clientOf(address)];

  return {
    async take(rule, address) {
      if (isExempt(address)) return;
      sweep();
      // A limiter remembers whom it refused: one that counts a trial is of that trial alone.
      let limiter = isTrial() ? openLimiter(sql, schema, rule) : limiters.get(rule.name);
      if (!limiter) {
        limiter = openLimiter(sql, schema, rule);
        limiters.set(rule.name, limiter);
      }
      try {
        await (await limiter).consume(clientOf(address));
      } catch (error) {
        // The library rejects with its count where there is no error.
        if (error instanceof Error) throw error;
        throw tooMany(
          `This address has sent ${rule.most} ${rule.name} in ${rule.seconds} s, which is the limit.`,
          (error as RateLimiterRes).msBeforeNext,
        );
      }
    },

    async guess(subject, address) {
      const key = waits(subject, address);
      const until = refused.get(key.join(' ')) ?? 0;
      const left = until - Date.now();
      if (left > 0) throw tooManyGuesses(left);
      sweep();
      const { rows } = await sql.query<{ wait: number }>(
        `SELECT ${schema}.limit_guess_begin($1, $2) AS wait`,
        key,
      );
      const { wait } = rows[0]!;
      if (wait === 0) return;
      if (!isTrial()) refused.set(key.join(' '), Date.now() + wait);
      throw tooManyGuesses(wait);
    },

    async right(subject, address) {
      const key = waits(subject, address);
      await sql.query(`SELECT ${schema}.limit_guess_right($1, $2)`, key);
    },
  };
}

/** Loaded with the first request of an address that counts: 5 ms. */
async function openLimiter(sql: Sql, schema: string, rule: AddressRule): Promise<RateLimiterPostgres> {
  const { RateLimiterPostgres } = await import('rate-limiter-flexible');
  const query = ({ text, values }: { text: string; values: unknown[] }) => sql.query(text, values);
  return new RateLimiterPostgres({
    storeClient: { query },
    storeType: 'client',
    schemaName: schema,
    tableName: 'limit_count',
    tableCreated: true,
    // Expired rows are removed below: a timer of the library would run on after the store is closed.
    clearExpiredByTimeout: false,
    keyPrefix: rule.name,
    points: rule.most,
    duration: rule.seconds,
    inMemoryBlockOnConsumed: rule.most,
  });
}

/** Whoever counts also forgets what has run out, at most once a minute a process. */
function sweeper(sql: Sql, schema: string): () => void {
  let next = 0;
  const forget = async (table: string, old: string) => {
    for (let gone = 1000; gone === 1000; ) {
      const { rowCount } = await sql.query(
        `DELETE FROM ${schema}.${table} WHERE ctid = ANY (ARRAY(
           SELECT ctid FROM ${schema}.${table} WHERE ${old} LIMIT 1000 FOR UPDATE SKIP LOCKED))`,
      );
      gone = rowCount;
    }
  };
  return () => {
    if (Date.now() < next || isTrial()) return;
    next = Date.now() + SWEEP_EVERY_MS;
    // The next one tries again.
    Promise.all([
      forget('limit_count', 'expire < extract(epoch FROM clock_timestamp()) * 1000'),
      forget('limit_guess', 'expires_at < clock_timestamp()'),
    ]).catch(() => {});
  };
}

/** What is guessed at may be somebody's address: it is kept as a digest. */
function digest(subject: string): string {
  return createHash('sha256').update(subject).digest('base64url');
}

function tooManyGuesses(ms: number) {
  return tooMany('There were too many wrong guesses lately.', ms);
}

function tooMany(detail: string, ms: number) {
  const seconds = Math.max(1, Math.ceil(ms / 1000));
  return libraryProblem('too-many-requests', {
    detail: `${detail} Try again in ${seconds} s.`,
    retryAfter: seconds,
  });
}
