// The tables that limits against abuse count in, inside the schema of whoever counts: all hosts of both placements
// count together. Idempotent, like the events' tables beside them.
//
// limit_count is rate-limiter-flexible's: points of a key until it expires (milliseconds since the epoch).
// limit_guess is ours: wrong guesses at one secret, with waits that grow (limit_guess_begin). `source` is the address
// of a client, or '' for all that never guessed right together.

/** Wrong guesses before anybody waits. */
export const FREE_GUESSES = 5;

/** The longest wait, in seconds: 96 guesses a day from one address, under the 100 of NIST SP 800-63B. */
export const LONGEST_WAIT_S = 900;

export function limitTables(schema: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
  return `
CREATE TABLE IF NOT EXISTS ${schema}.limit_count (
  key varchar(255) PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
CREATE INDEX IF NOT EXISTS limit_count_expire ON ${schema}.limit_count (expire);

CREATE TABLE IF NOT EXISTS ${schema}.limit_guess (
  subject text NOT NULL,
  source text NOT NULL,
  -- This address guessed right before: others' failures do not concern it.
  known boolean NOT NULL DEFAULT false,
  failures int NOT NULL DEFAULT 0,
  free_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (subject, source)
);
CREATE INDEX IF NOT EXISTS limit_guess_expires ON ${schema}.limit_guess (expires_at);
${guessBegin(schema)}
${guessRight(schema)}`;
}

/**
 * One guess, counted as wrong before anybody looks whether it is, so that guesses made at once count one another.
 * Answers the milliseconds to wait, 0 to go on. What is told to wait is not counted.
 *
 * An address that guessed right before waits for its own failures alone. All others wait for the failures that they
 * make together, but each for itself: one that came back after its wait gets its guess whatever others do meanwhile.
 */
const guessBegin = (schema: string) => `
CREATE OR REPLACE FUNCTION ${schema}.limit_guess_begin(a_subject text, a_source text) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  own ${schema}.limit_guess;
  everybody ${schema}.limit_guess;
  pause interval;
BEGIN
  SELECT * INTO own FROM ${schema}.limit_guess WHERE subject = a_subject AND source = a_source AND known FOR UPDATE;
  IF FOUND AND own.expires_at > moment THEN
    IF own.free_at > moment THEN RETURN ceil(extract(epoch FROM own.free_at - moment) * 1000); END IF;
    UPDATE ${schema}.limit_guess SET failures = own.failures + 1, free_at = moment + ${pauseAfter('own.failures + 1')}
    WHERE subject = a_subject AND source = a_source;
    RETURN 0;
  END IF;

  -- Its lock is what orders the guesses of all others.
  INSERT INTO ${schema}.limit_guess AS g (subject, source, free_at, expires_at)
  VALUES (a_subject, '', moment, moment + interval '1 hour')
  ON CONFLICT (subject, source) DO UPDATE SET
    failures = CASE WHEN g.expires_at <= moment THEN 0 ELSE g.failures END, expires_at = excluded.expires_at
  RETURNING * INTO everybody;
  moment := clock_timestamp();
  SELECT * INTO own FROM ${schema}.limit_guess WHERE subject = a_subject AND source = a_source;
  -- It became known while this waited for the lock: it stays so.
  IF own.known AND own.expires_at > moment THEN
    UPDATE ${schema}.limit_guess SET failures = own.failures + 1 WHERE subject = a_subject AND source = a_source;
    RETURN 0;
  END IF;
  IF everybody.failures >= ${FREE_GUESSES} THEN
    IF own IS NULL OR own.expires_at <= moment THEN
      pause := ${pauseAfter('everybody.failures')};
      INSERT INTO ${schema}.limit_guess (subject, source, free_at, expires_at)
      VALUES (a_subject, a_source, moment + pause, moment + interval '1 hour')
      ON CONFLICT (subject, source) DO UPDATE SET
        known = false, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
      RETURN ceil(extract(epoch FROM pause) * 1000);
    END IF;
    IF own.free_at > moment THEN RETURN ceil(extract(epoch FROM own.free_at - moment) * 1000); END IF;
  END IF;
  UPDATE ${schema}.limit_guess SET failures = everybody.failures + 1 WHERE subject = a_subject AND source = '';
  INSERT INTO ${schema}.limit_guess (subject, source, free_at, expires_at)
  VALUES (a_subject, a_source, moment + ${pauseAfter('everybody.failures + 1')}, moment + interval '1 hour')
  ON CONFLICT (subject, source) DO UPDATE SET
    known = false, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
  RETURN 0;
END $$;`;

/** The guess was right: it is no failure, and its address is known for 90 days. */
const guessRight = (schema: string) => `
CREATE OR REPLACE FUNCTION ${schema}.limit_guess_right(a_subject text, a_source text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM ${schema}.limit_guess WHERE subject = a_subject AND source = a_source AND known FOR UPDATE;
  IF NOT FOUND THEN
    UPDATE ${schema}.limit_guess SET failures = greatest(failures - 1, 0) WHERE subject = a_subject AND source = '';
  END IF;
  INSERT INTO ${schema}.limit_guess (subject, source, known, free_at, expires_at)
  VALUES (a_subject, a_source, true, clock_timestamp(), clock_timestamp() + interval '90 days')
  ON CONFLICT (subject, source) DO UPDATE SET
    known = true, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
END $$;`;

/** None for the first ${FREE_GUESSES}, then 1 s, doubled with each. */
const pauseAfter = (failures: string) =>
  `(CASE WHEN ${failures} < ${FREE_GUESSES} THEN 0 ELSE least(2 ^ least(${failures} - ${FREE_GUESSES}, 20), ${LONGEST_WAIT_S}) END) * interval '1 second'`;
