-- The sending side: what was published and not yet sent, and what was sent.
--
-- Order: `emit_event` takes the row of the key, so of two transactions with one key the second waits until
-- the first has ended; the sequence and then the position are drawn under that lock. So within a key,
-- sequence, position and commit all have one order; UNIQUE (key, sequence) makes anything else an error.
-- Across keys, positions do not follow commits: nobody may read the outbox by a cursor (see lowwater.ts).

-- The last sequence of every key; also the lock that orders its events.
CREATE TABLE IF NOT EXISTS event_key (
  key text PRIMARY KEY,
  sequence bigint NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS event_key_updated_at ON event_key USING brin (updated_at);

-- Published and not yet sent. Rows leave when the log has acknowledged them.
CREATE TABLE IF NOT EXISTS event_outbox (
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
-- Where it was published: a session says it after the @ of its application_name (store/create.ts).
ALTER TABLE event_outbox ADD COLUMN IF NOT EXISTS
  instance text DEFAULT nullif(split_part(current_setting('application_name', true), '@', 2), '');

-- What the log could not take is refused here, in the transaction that wrote it: a row that no relay can send
-- would hold up its module for ever. The publisher says the same in kinder words (cloudevents.ts has the same
-- numbers); raw SQL meets the checks. Adding one locks the table, so it is looked for first: this runs at every boot.
DO $$
DECLARE
  refusal record;
BEGIN
  FOR refusal IN SELECT * FROM (VALUES
    ('event_outbox_topic', format('topic = %L', current_schema() || '.events')),
    ('event_outbox_key', 'length(key) BETWEEN 1 AND 500'),
    ('event_outbox_size', 'octet_length(data::text) <= 524288')
  ) AS r (name, rule) LOOP
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'event_outbox'::regclass AND conname = refusal.name) THEN
      EXECUTE format('ALTER TABLE event_outbox ADD CONSTRAINT %I CHECK (%s) NOT VALID', refusal.name, refusal.rule);
    END IF;
  END LOOP;
END $$;

-- What was sent, without its data: kept longer than the log keeps events and longer than any freeze.
CREATE TABLE IF NOT EXISTS event_sent (
  id uuid PRIMARY KEY,
  key text NOT NULL,
  sequence bigint NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_sent_at ON event_sent (sent_at);
