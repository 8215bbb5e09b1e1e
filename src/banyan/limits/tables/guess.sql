-- Wrong guesses at one secret, with waits that grow. `source` is the address of a client, or '' for all that never
-- guessed right together.
CREATE TABLE IF NOT EXISTS limit_guess (
  subject text NOT NULL,
  source text NOT NULL,
  -- This address guessed right before: others' failures do not concern it.
  known boolean NOT NULL DEFAULT false,
  failures int NOT NULL DEFAULT 0,
  free_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (subject, source)
);
CREATE INDEX IF NOT EXISTS limit_guess_expires ON limit_guess (expires_at);

-- The wait after so many failures: none for the first 5, then 1 s, doubled with each, 900 s at most. That is 96 guesses
-- a day from one address, under the 100 of NIST SP 800-63B.
CREATE OR REPLACE FUNCTION limit_pause(failures int) RETURNS interval LANGUAGE sql IMMUTABLE
  RETURN CASE WHEN failures < 5 THEN 0 ELSE least(2 ^ least(failures - 5, 20), 900) END * interval '1 second';

-- One guess, counted as wrong before anybody looks whether it is, so that guesses made at once count one another.
-- Answers the milliseconds to wait, 0 to go on. What is told to wait is not counted.
--
-- An address that guessed right before waits for its own failures alone. All others wait for the failures that they
-- make together, but each for itself: one that came back after its wait gets its guess whatever others do meanwhile.
CREATE OR REPLACE FUNCTION limit_guess_begin(a_subject text, a_source text) RETURNS int
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  moment timestamptz;
  own limit_guess;
  everybody limit_guess;
  pause interval;
BEGIN
  SELECT * INTO own FROM limit_guess WHERE subject = a_subject AND source = a_source AND known FOR UPDATE;
  -- It may have waited here for a right guess, which says free from its own moment on.
  moment := clock_timestamp();
  IF FOUND AND own.expires_at > moment THEN
    IF own.free_at > moment THEN RETURN ceil(extract(epoch FROM own.free_at - moment) * 1000); END IF;
    UPDATE limit_guess SET failures = own.failures + 1, free_at = moment + limit_pause(own.failures + 1)
    WHERE subject = a_subject AND source = a_source;
    RETURN 0;
  END IF;

  -- Its lock is what orders the guesses of all others.
  INSERT INTO limit_guess AS g (subject, source, free_at, expires_at)
  VALUES (a_subject, '', moment, moment + interval '1 hour')
  ON CONFLICT (subject, source) DO UPDATE SET
    failures = CASE WHEN g.expires_at <= moment THEN 0 ELSE g.failures END, expires_at = excluded.expires_at
  RETURNING * INTO everybody;
  moment := clock_timestamp();
  SELECT * INTO own FROM limit_guess WHERE subject = a_subject AND source = a_source;
  -- It became known while this waited for the lock: it stays so.
  IF own.known AND own.expires_at > moment THEN
    UPDATE limit_guess SET failures = own.failures + 1 WHERE subject = a_subject AND source = a_source;
    RETURN 0;
  END IF;
  pause := limit_pause(everybody.failures);
  IF pause > interval '0' THEN
    IF own IS NULL OR own.expires_at <= moment THEN
      INSERT INTO limit_guess (subject, source, free_at, expires_at)
      VALUES (a_subject, a_source, moment + pause, moment + interval '1 hour')
      ON CONFLICT (subject, source) DO UPDATE SET
        known = false, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
      RETURN ceil(extract(epoch FROM pause) * 1000);
    END IF;
    IF own.free_at > moment THEN RETURN ceil(extract(epoch FROM own.free_at - moment) * 1000); END IF;
  END IF;
  UPDATE limit_guess SET failures = everybody.failures + 1 WHERE subject = a_subject AND source = '';
  INSERT INTO limit_guess (subject, source, free_at, expires_at)
  VALUES (a_subject, a_source, moment + limit_pause(everybody.failures + 1), moment + interval '1 hour')
  ON CONFLICT (subject, source) DO UPDATE SET
    known = false, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
  RETURN 0;
END $$;

-- The guess was right: it is no failure, and its address is known for 90 days.
CREATE OR REPLACE FUNCTION limit_guess_right(a_subject text, a_source text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM limit_guess WHERE subject = a_subject AND source = a_source AND known FOR UPDATE;
  IF NOT FOUND THEN
    UPDATE limit_guess SET failures = greatest(failures - 1, 0) WHERE subject = a_subject AND source = '';
  END IF;
  INSERT INTO limit_guess (subject, source, known, free_at, expires_at)
  VALUES (a_subject, a_source, true, clock_timestamp(), clock_timestamp() + interval '90 days')
  ON CONFLICT (subject, source) DO UPDATE SET
    known = true, failures = 0, free_at = excluded.free_at, expires_at = excluded.expires_at;
END $$;
