-- Publishes one event in the caller's transaction and answers its sequence. Also for statements that write
-- their rows and their event at once: make it the main SELECT, since Postgres does not run a WITH query that
-- only reads and that nobody reads. In a replay of the past (operations/replay.ts) it publishes nothing.
CREATE OR REPLACE FUNCTION emit_event(
  p_id uuid, p_topic text, p_key text, p_type text, p_data json,
  p_correlation_id text DEFAULT NULL, p_causation_id text DEFAULT NULL, p_traceparent text DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
DECLARE
  n bigint;
BEGIN
  IF current_setting('banyan.replay', true) = 'on' THEN RETURN NULL; END IF;
  INSERT INTO event_key AS k (key, sequence, updated_at) VALUES (p_key, 1, clock_timestamp())
  ON CONFLICT (key) DO UPDATE SET sequence = k.sequence + 1, updated_at = excluded.updated_at
  RETURNING k.sequence INTO n;
  INSERT INTO event_outbox (id, topic, key, sequence, type, data, correlation_id, causation_id, traceparent)
  VALUES (p_id, p_topic, p_key, n, p_type, p_data, coalesce(p_correlation_id, p_id::text), p_causation_id, p_traceparent);
  RETURN n;
END $$;
