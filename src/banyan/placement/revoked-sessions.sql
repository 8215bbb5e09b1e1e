-- Sessions that were ended one by one, until they would have run out by themselves. `n` tells two sets of the same size
-- apart (tables.ts); rows that ran out leave with the next call, so that time alone gives nobody a new picture.
CREATE TABLE IF NOT EXISTS revoked_session (
  id text PRIMARY KEY CHECK (length(id) <= 64),
  until timestamptz NOT NULL,
  n bigint GENERATED ALWAYS AS IDENTITY
);
CREATE INDEX IF NOT EXISTS revoked_session_until_idx ON revoked_session (until);

-- Called by who carries (session-ends.ts), and by modules of the version before in their own transaction, so it takes no
-- lock that a flip would wait for.
CREATE OR REPLACE FUNCTION revoke_sessions(names text[], until timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = banyan_control, pg_temp AS $$
  DELETE FROM revoked_session WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM revoked_session WHERE revoked_session.until < now() - interval '2 minutes'
    LIMIT 1000 FOR UPDATE SKIP LOCKED));
  SELECT refuse_flood(cardinality(names) > 1000 OR EXISTS (SELECT FROM revoked_session OFFSET 100000));
  INSERT INTO revoked_session (id, until)
  SELECT DISTINCT name, least($2, now() + interval '13 hours') FROM unnest($1) AS name ORDER BY name
  ON CONFLICT (id) DO NOTHING;
  SELECT pg_notify('banyan_control', 'revoked');
$$;
REVOKE ALL ON FUNCTION revoke_sessions(text[], timestamptz) FROM PUBLIC;

-- As `revoke`, of many users at once and for whoever has the role of control: in one order, since two may carry the same.
CREATE OR REPLACE FUNCTION revoke_users(user_ids uuid[], epochs int[]) RETURNS void
LANGUAGE sql SET search_path = banyan_control, pg_temp AS $$
  SELECT refuse_flood(EXISTS (SELECT FROM revoked WHERE at > now() - interval '13 hours' OFFSET 100000));
  INSERT INTO revoked AS r (user_id, epoch)
  SELECT said.user_id, max(said.epoch) FROM unnest($1, $2) AS said (user_id, epoch) GROUP BY 1 ORDER BY 1
  ON CONFLICT (user_id) DO UPDATE SET epoch = greatest(r.epoch, excluded.epoch), at = now();
  SELECT pg_notify('banyan_control', 'revoked');
$$;
REVOKE ALL ON FUNCTION revoke_users(uuid[], int[]) FROM PUBLIC;
