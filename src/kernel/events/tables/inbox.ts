// The receiving side: one row per event, one row per key. `event_take` is the gate that every event from the
// log passes, in the transaction of its effect; it lets each through once and in the order of its key.
//
// Locks: whoever works on a delivery that exists locks its row first and the row of its key (event_stream)
// second. `event_take` locks the key alone. So a slow retry never holds up the arrival of its key's events.
import { deliveryStates } from '../delivery.ts';

export function inboxTables(schema: string): string {
  const states = Object.keys(deliveryStates)
    .map((state) => `'${state}'`)
    .join(', ');
  return `
-- Topics this consumer has met, and since when: predecessors of older events are not waited for.
CREATE TABLE IF NOT EXISTS ${schema}.event_source (
  topic text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Event types this consumer listens to, and since when: for verification (operations/verify.ts), since what came
-- before only moved its key on and left no row.
CREATE TABLE IF NOT EXISTS ${schema}.event_listener (
  type text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far each key has come: \`received\` is the last sequence without a gap, \`open\` counts its deliveries
-- that hold up later ones, \`early\` those that wait for a missing one.
CREATE TABLE IF NOT EXISTS ${schema}.event_stream (
  topic text NOT NULL,
  key text NOT NULL,
  received bigint NOT NULL DEFAULT 0,
  last_at timestamptz NOT NULL DEFAULT '-infinity',
  open integer NOT NULL DEFAULT 0,
  early integer NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, key)
) WITH (fillfactor = 80);

CREATE TABLE IF NOT EXISTS ${schema}.event_delivery (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  sequence bigint,
  type text NOT NULL,
  state text NOT NULL CHECK (state IN (${states})),
  -- A dead letter that holds up the later events of its key.
  holds boolean NOT NULL DEFAULT false,
  attempts integer NOT NULL DEFAULT 0,
  next_at timestamptz,
  reason text,
  -- The record as it came; NULL once done.
  headers json,
  value bytea,
  arrival bigint GENERATED ALWAYS AS IDENTITY,
  received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  settled_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_delivery_due ON ${schema}.event_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS event_delivery_open ON ${schema}.event_delivery (topic, key, sequence) WHERE state IN ('waiting', 'queued', 'early', 'unknown-version', 'dead');
CREATE INDEX IF NOT EXISTS event_delivery_settled ON ${schema}.event_delivery (settled_at) WHERE state IN ('done', 'dropped');

CREATE TABLE IF NOT EXISTS ${schema}.event_attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid NOT NULL,
  attempt integer NOT NULL,
  host text NOT NULL,
  error text NOT NULL,
  stack text,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_attempt_delivery ON ${schema}.event_attempt (delivery_id, attempt);

-- Moves a key on: events whose predecessor has come join the queue, and the head of the queue is tried.
-- The caller holds the lock of the key.
CREATE OR REPLACE FUNCTION ${schema}.event_advance(p_topic text, p_key text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  s ${schema}.event_stream;
  head ${schema}.event_delivery;
BEGIN
  SELECT * INTO s FROM ${schema}.event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;
  WHILE s.early > 0 LOOP
    UPDATE ${schema}.event_delivery SET state = 'queued'
    WHERE topic = p_topic AND key = p_key AND state = 'early' AND sequence = s.received + 1;
    EXIT WHEN NOT FOUND;
    UPDATE ${schema}.event_stream SET received = received + 1, early = early - 1, open = open + 1
    WHERE topic = p_topic AND key = p_key RETURNING * INTO s;
  END LOOP;
  IF s.open > 0 THEN
    SELECT * INTO head FROM ${schema}.event_delivery
    WHERE topic = p_topic AND key = p_key
      AND (state IN ('waiting', 'queued', 'unknown-version') OR (state = 'dead' AND holds))
    ORDER BY sequence NULLS LAST, arrival LIMIT 1;
    IF head.state = 'queued' THEN
      UPDATE ${schema}.event_delivery SET state = 'waiting', next_at = clock_timestamp() WHERE id = head.id;
    END IF;
  END IF;
END $$;

-- Places one event that came from the log. Answers what becomes of it:
--   take       it is its turn, and it is now written down in the state given (done: the caller commits its effect)
--   duplicate  it was here before
--   queued     written down behind an earlier event of its key
--   early      written down; its predecessor has not come
--   late       a later event of its key has already had its effect; written down as a dead letter
-- The state 'ignored' is for events without a listener: they only move the key on.
CREATE OR REPLACE FUNCTION ${schema}.event_take(
  p_id uuid, p_topic text, p_key text, p_sequence bigint, p_type text, p_time timestamptz, p_headers json, p_value bytea,
  p_state text DEFAULT 'done', p_reason text DEFAULT NULL, p_holds boolean DEFAULT false,
  p_attempts integer DEFAULT 0, p_wait interval DEFAULT NULL
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s ${schema}.event_stream;
  verdict text := 'take';
  final text := p_state;
  -- A key that its producer forgot (idle for weeks) starts at 1 again; the log keeps events for less than this.
  forgotten CONSTANT interval := interval '10 days';
  opens integer;
BEGIN
  -- The usual case, in one statement: the first event of a new key.
  IF p_sequence = 1 AND p_state IN ('done', 'ignored') THEN
    INSERT INTO ${schema}.event_stream (topic, key, received, last_at) VALUES (p_topic, p_key, 1, p_time)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
      IF p_state = 'done' THEN
        INSERT INTO ${schema}.event_delivery (id, topic, key, sequence, type, state)
        VALUES (p_id, p_topic, p_key, p_sequence, p_type, 'done') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN 'duplicate'; END IF;
      END IF;
      RETURN 'take';
    END IF;
  ELSE
    -- Nearly as usual: the next event of a key of which nothing waits.
    IF p_state IN ('done', 'ignored') THEN
      UPDATE ${schema}.event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
      WHERE topic = p_topic AND key = p_key AND received = p_sequence - 1 AND open = 0 AND early = 0;
      IF FOUND THEN
        IF p_state = 'done' THEN
          INSERT INTO ${schema}.event_delivery (id, topic, key, sequence, type, state)
          VALUES (p_id, p_topic, p_key, p_sequence, p_type, 'done') ON CONFLICT DO NOTHING;
          IF NOT FOUND THEN RETURN 'duplicate'; END IF;
        END IF;
        RETURN 'take';
      END IF;
    END IF;
    INSERT INTO ${schema}.event_stream (topic, key) VALUES (p_topic, p_key) ON CONFLICT DO NOTHING;
  END IF;
  SELECT * INTO s FROM ${schema}.event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;

  IF p_sequence = 1 AND s.received > 0 AND p_time > s.last_at + forgotten THEN
    s.received := 0;
  END IF;
  IF p_sequence IS NULL THEN
    IF s.open > 0 THEN verdict := 'queued'; END IF;
  ELSIF p_sequence <= s.received THEN
    IF p_state = 'ignored' OR EXISTS (SELECT FROM ${schema}.event_delivery WHERE id = p_id) THEN
      RETURN 'duplicate';
    ELSE
      verdict := 'late';
    END IF;
  ELSIF s.open > 0 AND p_sequence = s.received + 1 THEN
    verdict := 'queued';
  ELSIF p_sequence > s.received + 1 AND NOT (
    s.received = 0 AND s.early = 0
    AND p_time < coalesce((SELECT since FROM ${schema}.event_source WHERE topic = p_topic), 'infinity')
  ) THEN
    verdict := 'early';
  END IF;

  IF p_state = 'ignored' AND verdict IN ('take', 'queued') THEN
    UPDATE ${schema}.event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
    WHERE topic = p_topic AND key = p_key AND p_sequence IS NOT NULL;
    IF s.early > 0 THEN PERFORM ${schema}.event_advance(p_topic, p_key); END IF;
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
  INSERT INTO ${schema}.event_delivery (id, topic, key, sequence, type, state, holds, attempts, next_at, reason, headers, value)
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
  UPDATE ${schema}.event_stream SET
    received = CASE WHEN verdict IN ('late', 'early') OR p_sequence IS NULL THEN received
                    WHEN verdict = 'duplicate' THEN greatest(received, p_sequence)
                    ELSE p_sequence END,
    last_at = CASE WHEN verdict = 'late' THEN last_at ELSE greatest(last_at, p_time) END,
    open = open + opens,
    early = early + CASE WHEN verdict = 'early' THEN 1 ELSE 0 END
  WHERE topic = p_topic AND key = p_key;
  IF s.early > 0 AND verdict <> 'early' THEN PERFORM ${schema}.event_advance(p_topic, p_key); END IF;
  RETURN verdict;
END $$;

-- The same for events of several keys in one transaction. The usual ones (the only event of its key here, and the
-- key's next) are placed by one statement; the others follow one by one. Two such transactions, of a member that has
-- lost a partition and of the one that has it now, may deadlock here, and in what the listeners lock afterwards: so
-- waiting for a lock is an error from the beginning. What is written down without being taken has no headers and value
-- yet; the caller adds them. Never by a scan: a plan is kept until the next analysis sees how the table has grown.
CREATE OR REPLACE FUNCTION ${schema}.event_take_many(p_events json, p_lock_timeout text)
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
    INSERT INTO ${schema}.event_stream (topic, key, received, last_at)
    SELECT u.topic, u.key, 1, u.time FROM usual u WHERE u.sequence = 1
    ON CONFLICT DO NOTHING RETURNING event_stream.topic, event_stream.key
  ), moved AS (
    UPDATE ${schema}.event_stream s SET received = u.sequence, last_at = greatest(s.last_at, u.time)
    FROM usual u
    WHERE s.topic = u.topic AND s.key = u.key AND u.sequence > 1 AND s.received = u.sequence - 1
      AND s.open = 0 AND s.early = 0
    RETURNING s.topic, s.key
  ), next AS (
    SELECT u.* FROM usual u JOIN (SELECT * FROM begun UNION ALL SELECT * FROM moved) m
      ON m.topic = u.topic AND m.key = u.key
  ), written AS (
    INSERT INTO ${schema}.event_delivery (id, topic, key, sequence, type, state)
    SELECT x.id, x.topic, x.key, x.sequence, x.type, x.state FROM next x WHERE x.state = 'done' ORDER BY x.topic, x.key
    ON CONFLICT DO NOTHING RETURNING event_delivery.id, event_delivery.topic, event_delivery.key
  )
  SELECT array_agg(x.n), array_agg(CASE WHEN x.state = 'done' AND w.id IS NULL THEN 'duplicate' ELSE 'take' END)
  INTO placed, verdicts
  FROM next x LEFT JOIN written w ON w.id = x.id AND w.topic = x.topic AND w.key = x.key;
  RETURN QUERY SELECT * FROM unnest(placed, verdicts);
  IF coalesce(cardinality(placed), 0) = json_array_length(p_events) THEN RETURN; END IF;
  RETURN QUERY
    SELECT e.n, ${schema}.event_take(e.id, e.topic, e.key, e.sequence, e.type, e.time, NULL, NULL, e.state)
    FROM (
      SELECT * FROM ROWS FROM (json_to_recordset(p_events)
        AS (id uuid, topic text, key text, sequence bigint, type text, "time" timestamptz, state text)) WITH ORDINALITY
        AS r (id, topic, key, sequence, type, "time", state, n)
      WHERE r.n <> ALL (coalesce(placed, '{}'))
      ORDER BY r.topic, r.key, r.n
    ) e;
END $$;

-- Events without a listener, a whole batch at once; sorted, so that two batches cannot deadlock.
CREATE OR REPLACE FUNCTION ${schema}.event_pass(p_topic text, p_events json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ${schema}.event_take(e.id, p_topic, e.key, e.sequence, e.type, e.time, e.headers, NULL, 'ignored')
  FROM (
    SELECT * FROM json_to_recordset(p_events)
      AS r (id uuid, key text, sequence bigint, type text, "time" timestamptz, headers json)
    ORDER BY key, sequence
  ) e;
END $$;

-- Whether a delivery in this state holds up the later events of its key.
CREATE OR REPLACE FUNCTION ${schema}.event_is_open(p_state text, p_holds boolean) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
  SELECT p_state IN ('waiting', 'queued', 'unknown-version') OR (p_state = 'dead' AND p_holds)
$$;

-- A delivery that exists goes into another state, and its key goes on where nothing holds it any more.
CREATE OR REPLACE FUNCTION ${schema}.event_settle(
  p_id uuid, p_state text, p_reason text DEFAULT NULL, p_holds boolean DEFAULT false, p_attempts integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  d ${schema}.event_delivery;
BEGIN
  SELECT * INTO d FROM ${schema}.event_delivery WHERE id = p_id FOR UPDATE;
  INSERT INTO ${schema}.event_stream (topic, key) VALUES (d.topic, d.key) ON CONFLICT DO NOTHING;
  PERFORM FROM ${schema}.event_stream WHERE topic = d.topic AND key = d.key FOR UPDATE;
  UPDATE ${schema}.event_delivery SET
    state = p_state, holds = p_state = 'dead' AND p_holds, next_at = NULL, reason = p_reason,
    attempts = coalesce(p_attempts, attempts), settled_at = clock_timestamp(),
    headers = CASE WHEN p_state <> 'done' THEN headers END, value = CASE WHEN p_state <> 'done' THEN value END
  WHERE id = p_id;
  UPDATE ${schema}.event_stream SET
    open = open + ${schema}.event_is_open(p_state, p_holds)::int - ${schema}.event_is_open(d.state, d.holds)::int,
    early = early - (d.state = 'early')::int,
    received = CASE WHEN d.state = 'early' THEN greatest(received, d.sequence) ELSE received END
  WHERE topic = d.topic AND key = d.key;
  PERFORM ${schema}.event_advance(d.topic, d.key);
END $$;

-- An attempt at a waiting delivery failed. No wait: it was the last one. Answers false when another host was
-- first with this attempt.
CREATE OR REPLACE FUNCTION ${schema}.event_fail(
  p_id uuid, p_attempt integer, p_wait interval, p_holds boolean, p_host text, p_error text, p_stack text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM FROM ${schema}.event_delivery WHERE id = p_id AND state = 'waiting' AND attempts = p_attempt - 1 FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO ${schema}.event_attempt (delivery_id, attempt, host, error, stack) VALUES (p_id, p_attempt, p_host, p_error, p_stack);
  IF p_wait IS NULL THEN
    PERFORM ${schema}.event_settle(p_id, 'dead', p_error, p_holds, p_attempt);
  ELSE
    UPDATE ${schema}.event_delivery SET attempts = p_attempt, next_at = clock_timestamp() + p_wait, reason = p_error WHERE id = p_id;
  END IF;
  RETURN true;
END $$;

-- A delivery at rest is to be tried: a redrive, a version that is now known, a gap that nobody will fill.
CREATE OR REPLACE FUNCTION ${schema}.event_again(p_id uuid) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  d ${schema}.event_delivery;
BEGIN
  SELECT * INTO d FROM ${schema}.event_delivery WHERE id = p_id FOR UPDATE;
  IF NOT FOUND OR d.state NOT IN ('dead', 'unknown-version', 'early') THEN RETURN false; END IF;
  PERFORM ${schema}.event_settle(p_id, 'queued', NULL, false, 0);
  RETURN true;
END $$;

-- A key of which nothing was ever received waits for its first event only so long: the log may have dropped it.
CREATE OR REPLACE FUNCTION ${schema}.event_release_early(p_grace interval) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
  late record;
  n integer := 0;
BEGIN
  FOR late IN
    SELECT DISTINCT ON (d.topic, d.key) d.id
    FROM ${schema}.event_delivery d JOIN ${schema}.event_stream s ON s.topic = d.topic AND s.key = d.key
    WHERE d.state = 'early' AND s.received = 0 AND d.received_at < clock_timestamp() - p_grace
    ORDER BY d.topic, d.key, d.sequence LIMIT 1000
  LOOP
    IF ${schema}.event_again(late.id) THEN n := n + 1; END IF;
  END LOOP;
  RETURN n;
END $$;`;
}
