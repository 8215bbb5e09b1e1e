-- May this event take effect now? The rule stands here and nowhere else: whoever takes, retries, redrives or tells of
-- a key asks these functions (turn.test.ts changes them and looks who follows). They read no table, so PostgreSQL
-- puts their text into the statements that call them, and an index serves them as before.

-- Whose turn it is in a key that has come as far as `p_received`, with `p_open` deliveries that hold up later ones:
--   take    the next of its key, and nothing holds it up
--   queued  an earlier event of its key is not done
--   early   its predecessor has not come, and is waited for (p_awaits)
--   late    it, or a later event of its key, came before
-- An event without a sequence has no predecessor: it waits only for what is open.
CREATE OR REPLACE FUNCTION event_turn(
  p_received bigint, p_open integer, p_sequence bigint, p_awaits boolean DEFAULT true
) RETURNS text LANGUAGE sql IMMUTABLE
  RETURN CASE
    WHEN p_sequence <= p_received THEN 'late'
    WHEN p_sequence > p_received + 1 AND p_awaits THEN 'early'
    WHEN p_open > 0 THEN 'queued'
    ELSE 'take'
  END;

-- Whether a delivery in this state holds up the later events of its key until a person decides or a version comes.
CREATE OR REPLACE FUNCTION event_is_held(p_state text, p_holds boolean) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN p_state = 'unknown-version' OR (p_state = 'dead' AND p_holds);

-- Whether it holds them up at all: what is tried by itself does so as well.
CREATE OR REPLACE FUNCTION event_is_open(p_state text, p_holds boolean) RETURNS boolean LANGUAGE sql IMMUTABLE
  RETURN p_state IN ('waiting', 'queued') OR event_is_held(p_state, p_holds);

-- Whether a delivery that is written down may be tried now. Only the head of a key waits; the others are queued.
CREATE OR REPLACE FUNCTION event_is_due(p_state text, p_next_at timestamptz) RETURNS boolean LANGUAGE sql
  RETURN p_state = 'waiting' AND p_next_at <= clock_timestamp();
