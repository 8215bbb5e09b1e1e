-- The gate that every event from the log passes, in the transaction of its effect: it lets each through once and in
-- the order of its key. The rule is in turn.sql; here its answer is written down.

-- Moves a key on: events whose predecessor has come join the queue, and the head of the queue is tried.
-- The caller holds the lock of the key.
CREATE OR REPLACE FUNCTION event_advance(p_topic text, p_key text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  s event_stream;
  head event_delivery;
BEGIN
  SELECT * INTO s FROM event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;
  WHILE s.early > 0 LOOP
    SELECT * INTO head FROM event_delivery
    WHERE topic = p_topic AND key = p_key AND state = 'early' AND sequence > s.received
    ORDER BY sequence LIMIT 1;
    EXIT WHEN NOT FOUND OR event_turn(s.received, 0, head.sequence) <> 'take';
    UPDATE event_delivery SET state = 'queued' WHERE id = head.id;
    UPDATE event_stream SET received = head.sequence, early = early - 1, open = open + 1
    WHERE topic = p_topic AND key = p_key RETURNING * INTO s;
  END LOOP;
  IF s.open > 0 THEN
    SELECT * INTO head FROM event_delivery
    WHERE topic = p_topic AND key = p_key AND event_is_open(state, holds)
    ORDER BY sequence NULLS LAST, arrival LIMIT 1;
    IF head.state = 'queued' THEN
      -- One that is redriven at a rate has a time before which it is not tried.
      UPDATE event_delivery SET state = 'waiting', next_at = greatest(clock_timestamp(), next_at) WHERE id = head.id;
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
CREATE OR REPLACE FUNCTION event_take(
  p_id uuid, p_topic text, p_key text, p_sequence bigint, p_type text, p_time timestamptz, p_headers json, p_value bytea,
  p_state text DEFAULT 'done', p_reason text DEFAULT NULL, p_holds boolean DEFAULT false,
  p_attempts integer DEFAULT 0, p_wait interval DEFAULT NULL
) RETURNS text LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  s event_stream;
  verdict text;
  final text := p_state;
  awaits boolean;
  -- A key that its producer forgot (idle for weeks) starts at 1 again; the log keeps events for less than this. It is
  -- RESTART_DAYS of retention.ts, and retention.test.ts tries that it is.
  forgotten CONSTANT interval := interval '10 days';
  opens integer;
BEGIN
  -- The usual cases, in one statement each: the first event of a new key, and the next event of a key of which
  -- nothing waits.
  IF p_sequence IS NOT NULL AND p_state IN ('done', 'ignored') THEN
    IF event_turn(0, 0, p_sequence) = 'take' THEN
      INSERT INTO event_stream (topic, key, received, last_at) VALUES (p_topic, p_key, p_sequence, p_time)
      ON CONFLICT DO NOTHING;
    ELSE
      UPDATE event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
      WHERE topic = p_topic AND key = p_key AND event_turn(received, open, p_sequence) = 'take' AND early = 0;
    END IF;
    IF FOUND THEN
      IF p_state = 'done' THEN
        INSERT INTO event_delivery (id, topic, key, sequence, type, state)
        VALUES (p_id, p_topic, p_key, p_sequence, p_type, 'done') ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN RETURN 'duplicate'; END IF;
      END IF;
      RETURN 'take';
    END IF;
  END IF;
  INSERT INTO event_stream (topic, key) VALUES (p_topic, p_key) ON CONFLICT DO NOTHING;
  SELECT * INTO s FROM event_stream WHERE topic = p_topic AND key = p_key FOR UPDATE;

  IF p_sequence = 1 AND s.received > 0 AND p_time > s.last_at + forgotten THEN
    s.received := 0;
  END IF;
  awaits := s.received > 0 OR s.early > 0
    OR p_time >= coalesce((SELECT since FROM event_source WHERE topic = p_topic), 'infinity');
  verdict := event_turn(s.received, s.open, p_sequence, awaits);
  IF verdict = 'late' AND (p_state = 'ignored' OR EXISTS (SELECT FROM event_delivery WHERE id = p_id)) THEN
    RETURN 'duplicate';
  END IF;

  IF p_state = 'ignored' AND verdict IN ('take', 'queued') THEN
    UPDATE event_stream SET received = p_sequence, last_at = greatest(last_at, p_time)
    WHERE topic = p_topic AND key = p_key AND p_sequence IS NOT NULL;
    IF s.early > 0 THEN PERFORM event_advance(p_topic, p_key); END IF;
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
  INSERT INTO event_delivery (id, topic, key, sequence, type, state, holds, attempts, next_at, reason, headers, value)
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

  opens := CASE WHEN verdict = 'duplicate' THEN 0 ELSE event_is_open(final, p_holds)::int END;
  UPDATE event_stream SET
    received = CASE WHEN verdict IN ('late', 'early') OR p_sequence IS NULL THEN received
                    WHEN verdict = 'duplicate' THEN greatest(received, p_sequence)
                    ELSE p_sequence END,
    last_at = CASE WHEN verdict = 'late' THEN last_at ELSE greatest(last_at, p_time) END,
    open = open + opens,
    early = early + CASE WHEN verdict = 'early' THEN 1 ELSE 0 END
  WHERE topic = p_topic AND key = p_key;
  IF s.early > 0 AND verdict <> 'early' THEN PERFORM event_advance(p_topic, p_key); END IF;
  RETURN verdict;
END $$;

-- The same for events of several keys in one transaction. The usual ones (the only event of its key here, and the
-- key's next) are placed by one statement; the others follow one by one. Two such transactions, of a member that has
-- lost a partition and of the one that has it now, may deadlock here, and in what the listeners lock afterwards: so
-- waiting for a lock is an error from the beginning. What is written down without being taken has no headers and value
-- yet; the caller adds them. Never by a scan: a plan is kept until the next analysis sees how the table has grown.
CREATE OR REPLACE FUNCTION event_take_many(p_events json, p_lock_timeout text)
RETURNS TABLE (n bigint, verdict text) LANGUAGE plpgsql SET enable_seqscan = off SET search_path FROM CURRENT AS $$
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
    SELECT g.*, event_turn(0, 0, g.sequence) = 'take' AS begins
    FROM given g WHERE g.of_key = 1 AND g.sequence IS NOT NULL ORDER BY g.topic, g.key
  ), begun AS (
    INSERT INTO event_stream (topic, key, received, last_at)
    SELECT u.topic, u.key, u.sequence, u.time FROM usual u WHERE u.begins
    ON CONFLICT DO NOTHING RETURNING event_stream.topic, event_stream.key
  ), moved AS (
    UPDATE event_stream s SET received = u.sequence, last_at = greatest(s.last_at, u.time)
    FROM usual u
    WHERE s.topic = u.topic AND s.key = u.key AND NOT u.begins
      AND event_turn(s.received, s.open, u.sequence) = 'take' AND s.early = 0
    RETURNING s.topic, s.key
  ), next AS (
    SELECT u.* FROM usual u JOIN (SELECT * FROM begun UNION ALL SELECT * FROM moved) m
      ON m.topic = u.topic AND m.key = u.key
  ), written AS (
    INSERT INTO event_delivery (id, topic, key, sequence, type, state)
    SELECT x.id, x.topic, x.key, x.sequence, x.type, x.state FROM next x WHERE x.state = 'done' ORDER BY x.topic, x.key
    ON CONFLICT DO NOTHING RETURNING event_delivery.id, event_delivery.topic, event_delivery.key
  )
  SELECT array_agg(x.n), array_agg(CASE WHEN x.state = 'done' AND w.id IS NULL THEN 'duplicate' ELSE 'take' END)
  INTO placed, verdicts
  FROM next x LEFT JOIN written w ON w.id = x.id AND w.topic = x.topic AND w.key = x.key;
  RETURN QUERY SELECT * FROM unnest(placed, verdicts);
  IF coalesce(cardinality(placed), 0) = json_array_length(p_events) THEN RETURN; END IF;
  RETURN QUERY
    SELECT e.n, event_take(e.id, e.topic, e.key, e.sequence, e.type, e.time, NULL, NULL, e.state)
    FROM (
      SELECT * FROM ROWS FROM (json_to_recordset(p_events)
        AS (id uuid, topic text, key text, sequence bigint, type text, "time" timestamptz, state text)) WITH ORDINALITY
        AS r (id, topic, key, sequence, type, "time", state, n)
      WHERE r.n <> ALL (coalesce(placed, '{}'))
      ORDER BY r.topic, r.key, r.n
    ) e;
END $$;

-- Events without a listener, a whole batch at once; sorted, so that two batches cannot deadlock.
CREATE OR REPLACE FUNCTION event_pass(p_topic text, p_events json) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM event_take(e.id, p_topic, e.key, e.sequence, e.type, e.time, e.headers, NULL, 'ignored')
  FROM (
    SELECT * FROM json_to_recordset(p_events)
      AS r (id uuid, key text, sequence bigint, type text, "time" timestamptz, headers json)
    ORDER BY key, sequence
  ) e;
END $$;
