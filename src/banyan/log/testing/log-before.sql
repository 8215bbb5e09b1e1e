-- The tables of the Postgres log: a schema and a role of their own, so that no module can write another's
-- topic by SQL.
--
-- An append draws its offsets from the row of the partition and keeps that row locked until it commits: so
-- offsets become visible in their order, and a reader that asks for "greater than the last one" never skips
-- the record of a transaction that commits late. Appends to one partition therefore wait for one another; a
-- relay sends batches, so that is one lock per thousand events.

CREATE TABLE IF NOT EXISTS topic (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text NOT NULL UNIQUE,
  partitions integer NOT NULL
);

CREATE TABLE IF NOT EXISTS partition (
  topic integer NOT NULL REFERENCES topic,
  partition integer NOT NULL,
  next_offset bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS record (
  topic integer NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  key text,
  headers json NOT NULL,
  value text,
  -- A value that is no text Postgres can hold; `value` is NULL then.
  raw bytea,
  appended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, partition, "offset")
);
CREATE INDEX IF NOT EXISTS record_appended_at ON record USING brin (appended_at) WITH (autosummarize = on);

-- A member of a group; it is gone when it expired or when its database session is.
CREATE TABLE IF NOT EXISTS member (
  group_name text NOT NULL,
  id uuid NOT NULL,
  pid integer NOT NULL,
  session_start timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (group_name, id)
);

CREATE TABLE IF NOT EXISTS claim (
  group_name text NOT NULL,
  topic integer NOT NULL REFERENCES topic,
  partition integer NOT NULL,
  member uuid,
  -- The offset to read next.
  committed bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (group_name, topic, partition)
) WITH (fillfactor = 50);

CREATE OR REPLACE FUNCTION ensure_topic(p_name text, p_partitions integer) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  t integer;
BEGIN
  IF EXISTS (SELECT FROM topic WHERE name = p_name) THEN RETURN; END IF;
  INSERT INTO topic (name, partitions) VALUES (p_name, p_partitions) ON CONFLICT DO NOTHING RETURNING id INTO t;
  IF t IS NOT NULL THEN
    INSERT INTO partition (topic, partition) SELECT t, n FROM generate_series(0, p_partitions - 1) n;
  END IF;
END $$;

-- Appends records given as [{p, k, h, v, r}] (partition, key, headers, text, base64). Locks the partitions in
-- their order, so that two appends cannot deadlock.
CREATE OR REPLACE FUNCTION append(p_topic integer, p_records json) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM partition
  WHERE topic = p_topic AND partition IN (SELECT p FROM json_to_recordset(p_records) AS (p integer))
  ORDER BY partition FOR UPDATE;
  WITH given AS MATERIALIZED (
    SELECT p, k, h, v, r, row_number() OVER (PARTITION BY p ORDER BY n) AS nth
    FROM ROWS FROM (json_to_recordset(p_records) AS (p integer, k text, h json, v text, r text)) WITH ORDINALITY AS g (p, k, h, v, r, n)
  ), drawn AS (
    UPDATE partition t SET next_offset = t.next_offset + c.records
    FROM (SELECT p, count(*) AS records FROM given GROUP BY p) c
    WHERE t.topic = p_topic AND t.partition = c.p
    RETURNING t.partition, t.next_offset - c.records AS first
  )
  INSERT INTO record (topic, partition, "offset", key, headers, value, raw)
  SELECT p_topic, p, d.first + nth - 1, k, h, v, decode(r, 'base64')
  FROM given JOIN drawn d ON d.partition = p ORDER BY p, nth;
END $$;

-- Tells the group that a member lives and wants these topics, takes what it should have and answers what it
-- has; `surplus` is to be given back. Partitions are dealt out evenly by the members' ids.
CREATE OR REPLACE FUNCTION beat(
  p_group text, p_member uuid, p_pid integer, p_session_start timestamptz, p_topics text[], p_ttl interval
) RETURNS TABLE (topic text, topic_id integer, partition integer, committed bigint, surplus boolean) LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  total integer;
  members integer;
  before integer;
  share integer;
  mine integer;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('banyan_log'), hashtext(p_group));
  INSERT INTO member (group_name, id, pid, session_start, expires_at)
  VALUES (p_group, p_member, p_pid, p_session_start, clock_timestamp() + p_ttl)
  ON CONFLICT (group_name, id) DO UPDATE
    SET expires_at = excluded.expires_at, pid = excluded.pid, session_start = excluded.session_start;
  DELETE FROM member m WHERE m.group_name = p_group AND m.id <> p_member AND (
    m.expires_at < clock_timestamp()
    OR NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.pid = m.pid AND a.backend_start = m.session_start)
  );
  INSERT INTO claim (group_name, topic, partition)
  SELECT p_group, p.topic, p.partition
  FROM topic t JOIN partition p ON p.topic = t.id
  WHERE t.name = ANY (p_topics)
    AND NOT EXISTS (SELECT FROM claim c WHERE c.group_name = p_group AND c.topic = p.topic AND c.partition = p.partition)
  ON CONFLICT DO NOTHING;
  UPDATE claim c SET member = NULL
  WHERE c.group_name = p_group AND c.member IS NOT NULL
    AND NOT EXISTS (SELECT FROM member m WHERE m.group_name = p_group AND m.id = c.member);

  SELECT count(*), count(*) FILTER (WHERE id < p_member) INTO members, before FROM member WHERE group_name = p_group;
  SELECT count(*), count(*) FILTER (WHERE c.member = p_member) INTO total, mine
  FROM claim c JOIN topic t ON t.id = c.topic
  WHERE c.group_name = p_group AND t.name = ANY (p_topics);
  share := total / members + CASE WHEN before < total % members THEN 1 ELSE 0 END;
  IF mine < share THEN
    UPDATE claim c SET member = p_member
    FROM (
      SELECT f.topic, f.partition FROM claim f JOIN topic t ON t.id = f.topic
      WHERE f.group_name = p_group AND f.member IS NULL AND t.name = ANY (p_topics)
      ORDER BY f.topic, f.partition LIMIT share - mine
    ) free
    WHERE c.group_name = p_group AND c.topic = free.topic AND c.partition = free.partition;
  END IF;
  RETURN QUERY
    SELECT t.name, c.topic, c.partition, c.committed,
      row_number() OVER (ORDER BY c.topic, c.partition) > share
    FROM claim c JOIN topic t ON t.id = c.topic
    WHERE c.group_name = p_group AND c.member = p_member AND t.name = ANY (p_topics);
END $$;

-- Commits offsets given as [{t, p, o, release}]; only of partitions that this member still has.
CREATE OR REPLACE FUNCTION commit_offsets(p_group text, p_member uuid, p_offsets json) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
  UPDATE claim c
  SET committed = greatest(c.committed, g.o), member = CASE WHEN g.release THEN NULL ELSE c.member END
  FROM json_to_recordset(p_offsets) AS g (t integer, p integer, o bigint, release boolean)
  WHERE c.group_name = p_group AND c.member = p_member AND c.topic = g.t AND c.partition = g.p
$$;
