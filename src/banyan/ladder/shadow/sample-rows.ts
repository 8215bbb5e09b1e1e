// Samples of differences as rows: both sides of what differed, without what is a customer's. Guarantees: nobody waits for
// them; one that cannot be stored is dropped; an operation has no more than MOST_SAMPLES of a week.
import { randomUUID } from 'node:crypto';
import type { Sql } from '../../store/store.ts';
import type { Sample } from './mirror.ts';
import { MOST_SAMPLES } from './samples.ts';

/** @param lost hears of one that could not be stored. */
/** A sample as it is read again; values of customers as type, length and a keyed hash. */
export interface KeptSample {
  readonly operation: string;
  readonly at: string;
  /** What differs, in words. */
  readonly why: string[];
  readonly near: Readonly<Record<string, unknown>>;
  readonly far: Readonly<Record<string, unknown>>;
}

export function keepSamples(sql: Sql, lost: (error: unknown) => void): (sample: Sample) => void {
  return (sample) => void store(sql, sample).catch(lost);
}

async function store(sql: Sql, { module, operation, why, near, far }: Sample): Promise<void> {
  await sql.query(`DELETE FROM ladder_sample WHERE module = $1 AND at < now() - interval '7 days'`, [module]);
  await sql.query(
    `INSERT INTO ladder_sample (id, module, operation, why, near, far) SELECT $1, $2, $3, $4, $5, $6
     WHERE (SELECT count(*) FROM ladder_sample WHERE module = $2 AND operation = $3) < $7`,
    [
      randomUUID(),
      module,
      operation,
      JSON.stringify(why),
      JSON.stringify(near),
      JSON.stringify(far),
      MOST_SAMPLES,
    ],
  );
}
