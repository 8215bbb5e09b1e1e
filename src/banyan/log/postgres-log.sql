-- The tables of the Postgres log: a schema and a role of their own, so that no module can write another's
-- topic by SQL. What a module's role may do with them is in postgres-log-rights.sql and postgres-log-doors.sql.
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
-- What no publisher sends (512 kB, events/cloudevents.ts), and who reads a topic must be able to hold 200 of: the log
-- refuses it as Kafka does by message.max.bytes. Adding it locks the table, so it is looked for first.
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'record'::regclass AND conname = 'record_size') THEN
    ALTER TABLE record ADD CONSTRAINT record_size CHECK (
      coalesce(octet_length(value), 0) + coalesce(octet_length(raw), 0) <= 1048576
      AND octet_length(headers::text) <= 65536 AND coalesce(octet_length(key), 0) <= 4096
    ) NOT VALID;
  END IF;
END $$;
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

-- A row to lock while partitions are dealt out: no other role can take it, as it could an advisory lock.
CREATE TABLE IF NOT EXISTS consumer_group (
  name text PRIMARY KEY
) WITH (fillfactor = 50);

-- What the role of a module may do; a monolith writes it from contracts and listeners. A right that is not named any more
-- ends later: services of the version before may still need it.
CREATE TABLE IF NOT EXISTS role_topic (
  role name NOT NULL,
  topic text NOT NULL,
  appends boolean NOT NULL,
  reads boolean NOT NULL,
  ends_at timestamptz,
  PRIMARY KEY (role, topic)
);
CREATE TABLE IF NOT EXISTS role_group (
  role name NOT NULL,
  group_name text NOT NULL,
  PRIMARY KEY (role, group_name)
);

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

-- Commits offsets given as [{t, p, o, release}]; only of partitions that this member still has.
CREATE OR REPLACE FUNCTION commit_offsets(p_group text, p_member uuid, p_offsets json) RETURNS void LANGUAGE sql SET search_path FROM CURRENT AS $$
  UPDATE claim c
  SET committed = greatest(c.committed, g.o), member = CASE WHEN g.release THEN NULL ELSE c.member END
  FROM json_to_recordset(p_offsets) AS g (t integer, p integer, o bigint, release boolean)
  WHERE c.group_name = p_group AND c.member = p_member AND c.topic = g.t AND c.partition = g.p
$$;
