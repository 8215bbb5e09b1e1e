-- The receiving side: one row per event, one row per key.
--
-- Locks: whoever works on a delivery that exists locks its row first and the row of its key (event_stream)
-- second. `event_take` locks the key alone. So a slow retry never holds up the arrival of its key's events.

-- Topics this consumer has met, and since when: predecessors of older events are not waited for.
CREATE TABLE IF NOT EXISTS event_source (
  topic text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Event types this consumer listens to, and since when: for verification (operations/verify.ts), since what came
-- before only moved its key on and left no row.
CREATE TABLE IF NOT EXISTS event_listener (
  type text PRIMARY KEY,
  since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- How far each key has come: `received` is the last sequence without a gap, `open` counts its deliveries
-- that hold up later ones (event_is_open), `early` those that wait for a missing one.
CREATE TABLE IF NOT EXISTS event_stream (
  topic text NOT NULL,
  key text NOT NULL,
  received bigint NOT NULL DEFAULT 0,
  last_at timestamptz NOT NULL DEFAULT '-infinity',
  open integer NOT NULL DEFAULT 0,
  early integer NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, key)
) WITH (fillfactor = 80);

-- The states are those of delivery.ts.
CREATE TABLE IF NOT EXISTS event_delivery (
  id uuid PRIMARY KEY,
  topic text NOT NULL,
  key text NOT NULL,
  sequence bigint,
  type text NOT NULL,
  state text NOT NULL CHECK (state IN ('done', 'waiting', 'queued', 'early', 'unknown-version', 'dead', 'dropped')),
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
CREATE INDEX IF NOT EXISTS event_delivery_due ON event_delivery (next_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS event_delivery_open ON event_delivery (topic, key, sequence) WHERE state IN ('waiting', 'queued', 'early', 'unknown-version', 'dead');
-- The dead letters in the order in which they are listed (operations/dead-letters.ts).
CREATE INDEX IF NOT EXISTS event_delivery_dead ON event_delivery (settled_at, id) WHERE state = 'dead';
CREATE INDEX IF NOT EXISTS event_delivery_settled ON event_delivery (settled_at) WHERE state IN ('done', 'dropped');

CREATE TABLE IF NOT EXISTS event_attempt (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  delivery_id uuid NOT NULL,
  attempt integer NOT NULL,
  host text NOT NULL,
  error text NOT NULL,
  stack text,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Of the attempt's own span; null where a host of the version before made it.
  traceparent text
);
DO $$ BEGIN
  -- A table of an older version lacks it. Asked first: ALTER TABLE would lock the table each time.
  IF NOT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = 'event_attempt'::regclass AND attname = 'traceparent' AND NOT attisdropped
  ) THEN
    ALTER TABLE event_attempt ADD COLUMN traceparent text;
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS event_attempt_delivery ON event_attempt (delivery_id, attempt);
