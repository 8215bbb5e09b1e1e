-- What people did to events: one row per decision, with what an edit replaced and what was written in its
-- place. Written in the transaction of the decision itself; kept for a year (retention.ts). The actions are those of operations/audit.ts.
CREATE TABLE IF NOT EXISTS event_audit (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL CHECK (action IN ('redrive', 'drop', 'replay', 'publish', 'skip')),
  by text NOT NULL,
  event_id uuid,
  why text,
  detail json,
  -- The value as it was before an edit.
  original bytea,
  -- The value as the edit wrote it: the delivery's own is gone when it is done.
  replacement bytea
);
-- A table of an older version does not know what was written.
ALTER TABLE event_audit ADD COLUMN IF NOT EXISTS replacement bytea;
DO $$ BEGIN
  -- A table of an older version knows fewer actions.
  IF NOT EXISTS (
    SELECT FROM pg_constraint WHERE conrelid = 'event_audit'::regclass AND conname = 'event_audit_action_check'
      AND pg_get_constraintdef(oid) LIKE '%skip%'
  ) THEN
    ALTER TABLE event_audit DROP CONSTRAINT IF EXISTS event_audit_action_check,
      ADD CONSTRAINT event_audit_action_check CHECK (action IN ('redrive', 'drop', 'replay', 'publish', 'skip'));
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS event_audit_event ON event_audit (event_id);
CREATE INDEX IF NOT EXISTS event_audit_at ON event_audit (at);
