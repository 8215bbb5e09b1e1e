// What people did to events: one row per decision, with the original of what was edited. Written in the
// transaction of the decision itself; kept for a year (retention.ts).

export const auditActions = {
  redrive: 'A delivery was put back into the queue of its key, perhaps with other data.',
  drop: 'A delivery was given up: it has no effect.',
  replay: 'Past events were given to this consumer once more.',
  publish: 'An event was published by hand.',
  skip: 'A part of the log that cannot be read was passed over.',
} as const;

export type AuditAction = keyof typeof auditActions;

export function auditTables(schema: string): string {
  const actions = Object.keys(auditActions)
    .map((action) => `'${action}'`)
    .join(', ');
  return `
CREATE TABLE IF NOT EXISTS ${schema}.event_audit (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  action text NOT NULL CHECK (action IN (${actions})),
  by text NOT NULL,
  event_id uuid,
  why text,
  detail json,
  -- The value as it was before an edit.
  original bytea
);
DO $$ BEGIN
  -- A table of an older version knows fewer actions.
  IF NOT EXISTS (
    SELECT FROM pg_constraint WHERE conrelid = '${schema}.event_audit'::regclass AND conname = 'event_audit_action_check'
      AND pg_get_constraintdef(oid) LIKE '%skip%'
  ) THEN
    ALTER TABLE ${schema}.event_audit DROP CONSTRAINT IF EXISTS event_audit_action_check,
      ADD CONSTRAINT event_audit_action_check CHECK (action IN (${actions}));
  END IF;
END $$;
CREATE INDEX IF NOT EXISTS event_audit_event ON ${schema}.event_audit (event_id);
CREATE INDEX IF NOT EXISTS event_audit_at ON ${schema}.event_audit (at);`;
}
