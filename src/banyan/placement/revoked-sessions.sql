-- Sessions that were ended one by one, until they would have run out by themselves. `n` tells two sets of the same size
-- apart (tables.ts); rows that ran out leave with the next call, so that time alone gives nobody a new picture.
CREATE TABLE IF NOT EXISTS revoked_session (
  id text PRIMARY KEY CHECK (length(id) <= 64),
  until timestamptz NOT NULL,
  n bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX IF NOT EXISTS revoked_session_until_idx ON revoked_session (until);

-- Called by a module in its own transaction, so it takes no lock that a flip would wait for.
CREATE OR REPLACE FUNCTION revoke_sessions(names text[], until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = banyan_control, pg_temp AS $$
  DELETE FROM revoked_session WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM revoked_session WHERE revoked_session.until < now() - interval '2 minutes'
    LIMIT 1000 FOR UPDATE SKIP LOCKED));
  SELECT refuse_flood(cardinality(names) > 1000 OR EXISTS (SELECT FROM revoked_session OFFSET 100000));
  INSERT INTO revoked_session (id, until)
  SELECT DISTINCT name, least($2, now() + interval '13 hours') FROM unnest($1) AS name
  ON CONFLICT (id) DO NOTHING;
  SELECT pg_notify('banyan_control', 'revoked');
$$;
REVOKE ALL ON FUNCTION revoke_sessions(text[], timestamptz) FROM PUBLIC;
