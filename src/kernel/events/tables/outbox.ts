// The sending side: what was published and not yet sent, what was sent, and who sends it now.
//
// Order: `emit_event` takes the row of the key, so of two transactions with one key the second waits until
// the first has ended; the sequence and then the position are drawn under that lock. So within a key,
// sequence, position and commit all have one order; UNIQUE (key, sequence) makes anything else an error.
// Across keys, positions do not follow commits: nobody may read the outbox by a cursor (see lowwater.ts).
//
// What the log could not take is refused here, in the transaction that wrote it: a row that no relay can send
// would hold up its module for ever. The publisher says the same in kinder words; raw SQL meets the checks.
import { MAX_EVENT_BYTES, MAX_KEY_LENGTH } from '../cloudevents.ts';

export function outboxTables(schema: string): string {
  const checks = {
    event_outbox_topic: `topic = '${schema}.events'`,
    event_outbox_key: `length(key) BETWEEN 1 AND ${MAX_KEY_LENGTH}`,
    event_outbox_size: `octet_length(data::text) <= ${MAX_EVENT_BYTES}`,
  };
  const refusals = Object.entries(checks).map(([name, rule]) => addCheck(schema, name, rule));
  return `
-- The last sequence of every key; also the lock that orders its events.
CREATE TABLE IF NOT EXISTS ${schema}.event_key (
  key text PRIMARY KEY,
  sequence bigint NOT NULL,
  updated_at timestamptz NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS event_key_updated_at ON ${schema}.event_key USING brin (updated_at);

-- Published and not yet sent. Rows leave when the log has acknowledged them.
CREATE TABLE IF NOT EXISTS ${schema}.event_outbox (
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
ALTER TABLE ${schema}.event_outbox ADD COLUMN IF NOT EXISTS
  instance text DEFAULT nullif(split_part(current_setting('application_name', true), '@', 2), '');
${refusals.join('\n')}

-- What was sent, without its data: kept longer than the log keeps events and longer than any freeze.
CREATE TABLE IF NOT EXISTS ${schema}.event_sent (
  id uuid PRIMARY KEY,
  key text NOT NULL,
  sequence bigint NOT NULL,
  sent_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS event_sent_at ON ${schema}.event_sent (sent_at);

-- One row per piece of work that one process does at a time. It is free once it has expired, or as soon as
-- the database session of its holder is gone: a killed holder is noticed at once, a frozen one by time.
CREATE TABLE IF NOT EXISTS ${schema}.event_lease (
  name text PRIMARY KEY,
  holder text,
  pid integer,
  session_start timestamptz,
  expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO ${schema}.event_lease (name) VALUES ('relay') ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION ${schema}.event_lease_is_free(lease ${schema}.event_lease) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT lease.expires_at < clock_timestamp() OR NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE pid = lease.pid AND backend_start = lease.session_start
  )
$$;

-- Publishes one event in the caller's transaction and answers its sequence. Also for statements that write
-- their rows and their event at once: make it the main SELECT, since Postgres does not run a WITH query that
-- only reads and that nobody reads. In a replay of the past (operations/replay.ts) it publishes nothing.
CREATE OR REPLACE FUNCTION ${schema}.emit_event(
  p_id uuid, p_topic text, p_key text, p_type text, p_data json,
  p_correlation_id text DEFAULT NULL, p_causation_id text DEFAULT NULL, p_traceparent text DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  IF current_setting('banyan.replay', true) = 'on' THEN RETURN NULL; END IF;
  INSERT INTO ${schema}.event_key AS k (key, sequence, updated_at) VALUES (p_key, 1, clock_timestamp())
  ON CONFLICT (key) DO UPDATE SET sequence = k.sequence + 1, updated_at = excluded.updated_at
  RETURNING k.sequence INTO n;
  INSERT INTO ${schema}.event_outbox (id, topic, key, sequence, type, data, correlation_id, causation_id, traceparent)
  VALUES (p_id, p_topic, p_key, n, p_type, p_data, coalesce(p_correlation_id, p_id::text), p_causation_id, p_traceparent);
  RETURN n;
END $$;`;
}

/** Adding a constraint locks the table, so it is looked for first: this runs at every boot. */
function addCheck(schema: string, name: string, rule: string): string {
  return `DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = '${schema}.event_outbox'::regclass AND conname = '${name}') THEN
    ALTER TABLE ${schema}.event_outbox ADD CONSTRAINT ${name} CHECK (${rule}) NOT VALID;
  END IF;
END $$;`;
}
