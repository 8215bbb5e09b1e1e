-- What becomes of a delivery that is written down: it is done, failed, given up, or tried again. Each of them takes
-- the lock of the delivery first and that of its key second, and lets the key go on.

-- A delivery that exists goes into another state, and its key goes on where nothing holds it any more.
CREATE OR REPLACE FUNCTION event_settle(
  p_id uuid, p_state text, p_reason text DEFAULT NULL, p_holds boolean DEFAULT false, p_attempts integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  d event_delivery;
BEGIN
  SELECT * INTO d FROM event_delivery WHERE id = p_id FOR UPDATE;
  INSERT INTO event_stream (topic, key) VALUES (d.topic, d.key) ON CONFLICT DO NOTHING;
  PERFORM FROM event_stream WHERE topic = d.topic AND key = d.key FOR UPDATE;
  UPDATE event_delivery SET
    state = p_state, holds = p_holds AND p_state = 'dead', next_at = NULL, reason = p_reason,
    attempts = coalesce(p_attempts, attempts), settled_at = clock_timestamp(),
    headers = CASE WHEN p_state <> 'done' THEN headers END, value = CASE WHEN p_state <> 'done' THEN value END
  WHERE id = p_id;
  UPDATE event_stream SET
    open = open + event_is_open(p_state, p_holds)::int - event_is_open(d.state, d.holds)::int,
    early = early - (d.state = 'early')::int,
    received = CASE WHEN d.state = 'early' THEN greatest(received, d.sequence) ELSE received END
  WHERE topic = d.topic AND key = d.key;
  PERFORM event_advance(d.topic, d.key);
END $$;

-- An attempt at a waiting delivery failed. No wait: it was the last one. Answers false when another host was
-- first with this attempt. Of the attempts at one delivery the first and the last 99 are kept.
CREATE OR REPLACE FUNCTION event_failed(
  p_id uuid, p_attempt integer, p_wait interval, p_holds boolean, p_host text, p_error text, p_stack text,
  p_traceparent text
) RETURNS boolean LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  PERFORM FROM event_delivery WHERE id = p_id AND state = 'waiting' AND attempts = p_attempt - 1 FOR UPDATE;
  IF NOT FOUND THEN RETURN false; END IF;
  INSERT INTO event_attempt (delivery_id, attempt, host, error, stack, traceparent)
  VALUES (p_id, p_attempt, p_host, p_error, p_stack, p_traceparent);
  DELETE FROM event_attempt WHERE delivery_id = p_id
    AND id > (SELECT min(id) FROM event_attempt WHERE delivery_id = p_id)
    AND id <= (SELECT id FROM event_attempt WHERE delivery_id = p_id ORDER BY id DESC OFFSET 99 LIMIT 1);
  IF p_wait IS NULL THEN
    PERFORM event_settle(p_id, 'dead', p_error, p_holds, p_attempt);
  ELSE
    UPDATE event_delivery SET attempts = p_attempt, next_at = clock_timestamp() + p_wait, reason = p_error WHERE id = p_id;
  END IF;
  RETURN true;
END $$;

-- As a host of the version before calls it.
CREATE OR REPLACE FUNCTION event_fail(
  p_id uuid, p_attempt integer, p_wait interval, p_holds boolean, p_host text, p_error text, p_stack text
) RETURNS boolean LANGUAGE sql SET search_path FROM CURRENT AS $$
  SELECT event_failed(p_id, p_attempt, p_wait, p_holds, p_host, p_error, p_stack, NULL)
$$;

-- A delivery at rest is to be tried: a redrive, a version that is now known, a gap that nobody will fill.
CREATE OR REPLACE FUNCTION event_again(p_id uuid) RETURNS boolean
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  d event_delivery;
BEGIN
  SELECT * INTO d FROM event_delivery WHERE id = p_id FOR UPDATE;
  IF NOT FOUND OR d.state NOT IN ('dead', 'unknown-version', 'early') THEN RETURN false; END IF;
  PERFORM event_settle(p_id, 'queued', NULL, false, 0);
  RETURN true;
END $$;

-- A key of which nothing was ever received waits for its first event only so long: the log may have dropped it.
CREATE OR REPLACE FUNCTION event_release_early(p_grace interval) RETURNS integer
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  late record;
  n integer := 0;
BEGIN
  FOR late IN
    SELECT DISTINCT ON (d.topic, d.key) d.id
    FROM event_delivery d JOIN event_stream s ON s.topic = d.topic AND s.key = d.key
    WHERE d.state = 'early' AND s.received = 0 AND d.received_at < clock_timestamp() - p_grace
    ORDER BY d.topic, d.key, d.sequence LIMIT 1000
  LOOP
    IF event_again(late.id) THEN n := n + 1; END IF;
  END LOOP;
  RETURN n;
END $$;
