-- The tables of a module `till` as the code made them before its SQL stood in files: for tables.test.ts, which takes such a
-- schema over. Never to be changed.
CREATE TABLE IF NOT EXISTS till.event_key (
  key text PRIMARY KEY,
  sequence bigint NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS event_key_updated_at ON till.event_key USING brin (updated_at);
CREATE TABLE IF NOT EXISTS till.event_outbox (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id uuid NOT NULL,
  topic text NOT NULL,
  key text NOT NULL,
  sequence bigint NOT NULL,
  type text NOT NULL,
  data json NOT NULL,
  correlation_id text NOT NULL,
  causation_id text,
  traceparent text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (key, sequence)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_insert_threshold = -1);
ALTER TABLE till.event_outbox ADD COLUMN IF NOT EXISTS
  instance text DEFAULT nullif(split_part(current_setting('application_name', true), '@', 2), '');
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'till.event_outbox'::regclass AND conname = 'event_outbox_topic') THEN
    ALTER TABLE till.event_outbox ADD CONSTRAINT event_outbox_topic CHECK (topic = 'till.events') NOT VALID;
  END IF;
END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'till.event_outbox'::regclass AND conname = 'event_outbox_key') THEN
    ALTER TABLE till.event_outbox ADD CONSTRAINT event_outbox_key CHECK (length(key) BETWEEN 1 AND 500) NOT VALID;
  END IF;
END $$;
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'till.event_outbox'::regclass AND conname = 'event_outbox_size') THEN
    ALTER TABLE till.event_outbox ADD CONSTRAINT event_outbox_size CHECK (octet_length(data::text) <= 524288) NOT VALID;
  END IF;
END $$;
CREATE TABLE IF NOT EXISTS till.event_sent (
  id uuid PRIMARY KEY,
  key text NOT NULL,
  sequence bigint NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_sent_at ON till.event_sent (sent_at);
CREATE TABLE IF NOT EXISTS till.event_lease (
  name text PRIMARY KEY,
  holder text,
  pid integer,
  session_start timestamptz,
  expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO till.event_lease (name) VALUES ('relay') ON CONFLICT DO NOTHING;
CREATE OR REPLACE FUNCTION till.event_lease_is_free(lease till.event_lease) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT lease.expires_at < clock_timestamp() OR NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE pid = lease.pid AND backend_start = lease.session_start
  )
$$;
CREATE OR REPLACE FUNCTION till.emit_event(
  p_id uuid, p_topic text, p_key text, p_type text, p_data json,
  p_correlation_id text DEFAULT NULL, p_causation_id text DEFAULT NULL, p_traceparent text DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  IF current_setting('banyan.replay', true) = 'on' THEN RETURN NULL; END IF;
  INSERT INTO till.event_key AS k (key, sequence, updated_at) VALUES (p_key, 1, clock_timestamp())
  ON CONFLICT (key) DO UPDATE SET sequence = k.sequence + 1, updated_at = excluded.updated_at
  RETURNING k.sequence INTO n;
  INSERT INTO till.event_outbox (id, topic, key, sequence, type, data, correlation_id, causation_id, traceparent)
  VALUES (p_id, p_topic, p_key, n, p_type, p_data, coalesce(p_correlation_id, p_id::text), p_causation_id, p_traceparent);
  RETURN n;
END $$;
CREATE TABLE IF NOT EXISTS till.event_source (
  topic text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS till.event_listener (
  type text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE IF NOT EXISTS till.event_stream (
  topic text NOT NULL,
  key text NOT NULL,
  received bigint NOT NULL DEFAULT 0,
  last_at timestamptz NOT NULL DEFAULT '-infinity',
  open integer NOT NULL DEFAULT 0,
  early integer NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, key)
) WITH (fillfactor = 80);
CREATE TABLE IF NOT EXISTS till.event_delivery (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  sequence bigint,
  type text NOT NULL,
  state text NOT NULL CHECK (state IN ('done', 'waiting', 'queued', 'early', 'unknown-version', 'dead', 'dropped')),
  holds boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz,
  reason text,
  headers json,
  value bytea,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_delivery_due ON till.event_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS event_delivery_open ON till.event_delivery (topic, key, sequence) WHERE state IN ('waiting', 'queued', 'early', 'unknown-version', 'dead');
CREATE INDEX IF NOT EXISTS event_delivery_settled ON till.event_delivery (settled_at) WHERE state IN ('done', 'dropped');
CREATE TABLE IF NOT EXISTS till.event_attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid NOT NULL,
  attempt integer NOT NULL,
  host text NOT NULL,
  error text NOT NULL,
  stack text,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_attempt_delivery ON till.event_attempt (delivery_id, attempt);
CREATE OR REPLACE FUNCTION till.event_advance(p_topic text, p_key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s till.event_stream;
  head till.event_delivery;
BEGIN
  SELECT * INTO s FROM till.event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;
  WHILE s.early > 0 LOOP
    UPDATE till.event_delivery SET state = 'queued'
    WHERE topic = p_topic AND key = p_key AND state = 'early' AND sequence = s.received + 1;
    EXIT WHEN NOT FOUND;
    UPDATE till.event_stream SET received = received + 1, early = early - 1, open = open + 1
    WHERE topic = p_topic AND key = p_key RETURNING * INTO s;
  END LOOP;
  IF s.open > 0 THEN
    SELECT * INTO head FROM till.event_delivery
    WHERE topic = p_topic AND key = p_key
      AND (state IN ('waiting', 'queued', 'unknown-version') OR (state = 'dead' AND holds))
    ORDER BY sequence NULLS LAST, arrival LIMIT 1;
    IF head.state = 'queued' THEN
      UPDATE till.event_delivery SET state = 'waiting', next_at = clock_timestamp() WHERE id = head.id;
    END IF;
  END IF;
END $$;
CREATE OR REPLACE FUNCTION till.event_take(
  p_id uuid, p_topic text, p_key text, p_sequence bigint, p_type text, p_time timestamptz, p_headers json, p_value bytea,
  p_state text DEFAULT 'done', p_reason text DEFAULT NULL, p_holds boolean DEFAULT false,
  p_attempts integer DEFAULT 0, p_wait interval DEFAULT NULL
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s till.event_stream;
  verdict text := 'take';
  final text := p_state;
  forgotten CONSTANT interval := interval '10 days';
  opens integer;
BEGIN
  IF p_sequence = 1 AND p_state IN ('done', 'ignored') THEN
    INSERT INTO till.event_stream (topic, key, received, last_at) VALUES (p_topic, p_key, 1, p_time)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
      IF p_state = 'done' THEN
        INSERT INTO till.event_delivery (id, topic, key, sequence, type, state)
        VALUES (p_id, p_topic, p_key, p_sequence, p_type, 'done') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN 'duplicate'; END IF;
      END IF;
      RETURN 'take';
    END IF;
  ELSE
    IF p_state IN ('done', 'ignored') THEN
      UPDATE till.event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
      WHERE topic = p_topic AND key = p_key AND received = p_sequence - 1 AND open = 0 AND early = 0;
      IF FOUND THEN
        IF p_state = 'done' THEN
          INSERT INTO till.event_delivery (id, topic, key, sequence, type, state)
          VALUES (p_id, p_topic, p_key, p_sequence, p_type, 'done') ON CONFLICT DO NOTHING;
          IF NOT FOUND THEN RETURN 'duplicate'; END IF;
        END IF;
        RETURN 'take';
      END IF;
    END IF;
    INSERT INTO till.event_stream (topic, key) VALUES (p_topic, p_key) ON CONFLICT DO NOTHING;
  END IF;
  SELECT * INTO s FROM till.event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;
  IF p_sequence = 1 AND s.received > 0 AND p_time > s.last_at + forgotten THEN
    s.received := 0;
  END IF;
  IF p_sequence IS NULL THEN
    IF s.open > 0 THEN verdict := 'queued'; END IF;
  ELSIF p_sequence <= s.received THEN
    IF p_state = 'ignored' OR EXISTS (SELECT FROM till.event_delivery WHERE id = p_id) THEN
      RETURN 'duplicate';
    ELSE
      verdict := 'late';
    END IF;
  ELSIF s.open > 0 AND p_sequence = s.received + 1 THEN
    verdict := 'queued';
  ELSIF p_sequence > s.received + 1 AND NOT (
    s.received = 0 AND s.early = 0
    AND p_time < coalesce((SELECT since FROM till.event_source WHERE topic = p_topic), 'infinity')
  ) THEN
    verdict := 'early';
  END IF;
  IF p_state = 'ignored' AND verdict IN ('take', 'queued') THEN
    UPDATE till.event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
    WHERE topic = p_topic AND key = p_key AND p_sequence IS NOT NULL;
    IF s.early > 0 THEN PERFORM till.event_advance(p_topic, p_key); END IF;
    RETURN verdict;
  END IF;
  IF verdict = 'late' THEN
    final := 'dead';
    p_holds := false;
    p_reason := format('late: came after sequence %s of its key had taken effect', s.received);
  ELSIF verdict = 'early' THEN
    final := 'early';
  ELSIF verdict = 'queued' AND p_state <> 'dead' THEN
    final := 'queued';
  END IF;
  INSERT INTO till.event_delivery (id, topic, key, sequence, type, state, holds, attempts, next_at, reason, headers, value)
  VALUES (
    p_id, p_topic, p_key, p_sequence, p_type, final, final = 'dead' AND p_holds,
    CASE WHEN final = p_state THEN p_attempts ELSE 0 END,
    CASE WHEN final = 'waiting' THEN clock_timestamp() + coalesce(p_wait, interval '0') END,
    p_reason,
    CASE WHEN final <> 'done' THEN p_headers END, CASE WHEN final <> 'done' THEN p_value END
  ) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    IF verdict IN ('late', 'early') THEN RETURN 'duplicate'; END IF;
    verdict := 'duplicate';
  END IF;
  opens := CASE
    WHEN verdict = 'duplicate' THEN 0
    WHEN final IN ('waiting', 'queued', 'unknown-version') OR (final = 'dead' AND p_holds) THEN 1
    ELSE 0 END;
  UPDATE till.event_stream SET
    received = CASE WHEN verdict IN ('late', 'early') OR p_sequence IS NULL THEN received
                    WHEN verdict = 'duplicate' THEN greatest(received, p_sequence)
                    ELSE p_sequence END,
    last_at = CASE WHEN verdict = 'late' THEN last_at ELSE greatest(last_at, p_time) END,
    open = open + opens,
    early = early + CASE WHEN verdict = 'early' THEN 1 ELSE 0 END
  WHERE topic = p_topic AND key = p_key;
  IF s.early > 0 AND verdict <> 'early' THEN PERFORM till.event_advance(p_topic, p_key); END IF;
  RETURN verdict;
END $$;
CREATE OR REPLACE FUNCTION till.event_take_many(p_events json, p_lock_timeout text)
RETURNS TABLE (n bigint, verdict text) LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
  placed bigint[];
  verdicts text[];
BEGIN
  PERFORM set_config('lock_timeout', p_lock_timeout, true);
  WITH given AS (
    SELECT *, count(*) OVER (PARTITION BY r.topic, r.key) AS of_key
    FROM ROWS FROM (json_to_recordset(p_events)
      AS (id uuid, topic text, key text, sequence bigint, type text, "time" timestamptz, state text)) WITH ORDINALITY
      AS r (id, topic, key, sequence, type, "time", state, n)
  ), usual AS MATERIALIZED (
    SELECT * FROM given g WHERE g.of_key = 1 ORDER BY g.topic, g.key
  ), begun AS (
    INSERT INTO till.event_stream (topic, key, received, last_at)
    SELECT u.topic, u.key, 1, u.time FROM usual u WHERE u.sequence = 1
    ON CONFLICT DO NOTHING RETURNING event_stream.topic, event_stream.key
  ), moved AS (
    UPDATE till.event_stream s SET received = u.sequence, last_at = greatest(s.last_at, u.time)
    FROM usual u
    WHERE s.topic = u.topic AND s.key = u.key AND u.sequence > 1 AND s.received = u.sequence - 1
      AND s.open = 0 AND s.early = 0
    RETURNING s.topic, s.key
  ), next AS (
    SELECT u.* FROM usual u JOIN (SELECT * FROM begun UNION ALL SELECT * FROM moved) m
      ON m.topic = u.topic AND m.key = u.key
  ), written AS (
    INSERT INTO till.event_delivery (id, topic, key, sequence, type, state)
    SELECT x.id, x.topic, x.key, x.sequence, x.type, x.state FROM next x WHERE x.state = 'done' ORDER BY x.topic, x.key
    ON CONFLICT DO NOTHING RETURNING event_delivery.id, event_delivery.topic, event_delivery.key
  )
  SELECT array_agg(x.n), array_agg(CASE WHEN x.state = 'done' AND w.id IS NULL THEN 'duplicate' ELSE 'take' END)
  INTO placed, verdicts
  FROM next x LEFT JOIN written w ON w.id = x.id AND w.topic = x.topic AND w.key = x.key;
  RETURN QUERY SELECT * FROM unnest(placed, verdicts);
  IF coalesce(cardinality(placed), 0) = json_array_length(p_events) THEN RETURN; END IF;
  RETURN QUERY
    SELECT e.n, till.event_take(e.id, e.topic, e.key, e.sequence, e.type, e.time, NULL, NULL, e.state)
    FROM (
      SELECT * FROM ROWS FROM (json_to_recordset(p_events)
        AS (id uuid, topic text, key text, sequence bigint, type text, "time" timestamptz, state text)) WITH ORDINALITY
        AS r (id, topic, key, sequence, type, "time", state, n)
      WHERE r.n <> ALL (coalesce(placed, '{}'))
      ORDER BY r.topic, r.key, r.n
    ) e;
END $$;
CREATE OR REPLACE FUNCTION till.event_pass(p_topic text, p_events json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM till.event_take(e.id, p_topic, e.key, e.sequence, e.type, e.time, e.headers, NULL, 'ignored')
  FROM (
    SELECT * FROM json_to_recordset(p_events)
      AS r (id uuid, key text, sequence bigint, type text, "time" timestamptz, headers json)
    ORDER BY key, sequence
  ) e;
END $$;
CREATE OR REPLACE FUNCTION till.event_is_open(p_state text, p_holds boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT p_state IN ('waiting', 'queued', 'unknown-version') OR (p_state = 'dead' AND p_holds)
$$;
CREATE OR REPLACE FUNCTION till.event_settle(
  p_id uuid, p_state text, p_reason text DEFAULT NULL, p_holds boolean DEFAULT false, p_attempts integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  d till.event_delivery;
BEGIN
  SELECT * INTO d FROM till.event_delivery WHERE id = p_id FOR UPDATE;
  INSERT INTO till.event_stream (topic, key) VALUES (d.topic, d.key) ON CONFLICT DO NOTHING;
  PERFORM FROM till.event_stream WHERE topic = d.topic AND key = d.key FOR UPDATE;
  UPDATE till.event_delivery SET
    state = p_state, holds = p_state = 'dead' AND p_holds, next_at = NULL, reason = p_reason,
    attempts = coalesce(p_attempts, attempts), settled_at = clock_timestamp(),
    headers = CASE WHEN p_state <> 'done' THEN headers END, value = CASE WHEN p_state <> 'done' THEN value END
  WHERE id = p_id;
  UPDATE till.event_stream SET
    open = open + till.event_is_open(p_state, p_holds)::int - till.event_is_open(d.state, d.holds)::int,
    early = early - (d.state = 'early')::int,
    received = CASE WHEN d.state = 'early' THEN greatest(received, d.sequence) ELSE received END
  WHERE topic = d.topic AND key = d.key;
  PERFORM till.event_advance(d.topic, d.key);
END $$;
CREATE OR REPLACE FUNCTION till.event_fail(
  p_id uuid, p_attempt integer, p_wait interval, p_holds boolean, p_host text, p_error text, p_stack text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM till.event_delivery WHERE id = p_id AND state = 'waiting' AND attempts = p_attempt - 1 FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO till.event_attempt (delivery_id, attempt, host, error, stack) VALUES (p_id, p_attempt, p_host, p_error, p_stack);
  IF p_wait IS NULL THEN
    PERFORM till.event_settle(p_id, 'dead', p_error, p_holds, p_attempt);
  ELSE
    UPDATE till.event_delivery SET attempts = p_attempt, next_at = clock_timestamp() + p_wait, reason = p_error WHERE id = p_id;
  END IF;
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION till.event_again(p_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  d till.event_delivery;
BEGIN
  SELECT * INTO d FROM till.event_delivery WHERE id = p_id FOR UPDATE;
  IF NOT FOUND OR d.state NOT IN ('dead', 'unknown-version', 'early') THEN RETURN false; END IF;
  PERFORM till.event_settle(p_id, 'queued', NULL, false, 0);
  RETURN true;
END $$;
CREATE OR REPLACE FUNCTION till.event_release_early(p_grace interval) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  late record;
  n integer := 0;
BEGIN
  FOR late IN
    SELECT DISTINCT ON (d.topic, d.key) d.id
    FROM till.event_delivery d JOIN till.event_stream s ON s.topic = d.topic AND s.key = d.key
    WHERE d.state = 'early' AND s.received = 0 AND d.received_at < clock_timestamp() - p_grace
    ORDER BY d.topic, d.key, d.sequence LIMIT 1000
  LOOP
    IF till.event_again(late.id) THEN n := n + 1; END IF;
  END LOOP;
  RETURN n;
END $$;
CREATE TABLE IF NOT EXISTS till.event_audit (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL CHECK (action IN ('redrive', 'drop', 'replay', 'publish', 'skip')),
  by text NOT NULL,
  event_id uuid,
  why text,
  detail json,
  original bytea
);
DO $$ BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_constraint WHERE conrelid = 'till.event_audit'::regclass AND conname = 'event_audit_action_check'
      AND pg_get_constraintdef(oid) LIKE '%skip%'
  ) THEN
    ALTER TABLE till.event_audit DROP CONSTRAINT IF EXISTS event_audit_action_check,
      ADD CONSTRAINT event_audit_action_check CHECK (action IN ('redrive', 'drop', 'replay', 'publish', 'skip'));
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS event_audit_event ON till.event_audit (event_id);
CREATE INDEX IF NOT EXISTS event_audit_at ON till.event_audit (at);
CREATE TABLE IF NOT EXISTS till.event_obstacle (
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  last bigint NOT NULL,
  reason text NOT NULL,
  remedy text NOT NULL,
  host text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, partition)
);
