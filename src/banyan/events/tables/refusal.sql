-- What the log does not let this module do, from whichever host runs its relay or its consumer: one row for each, seen
-- again for as long as it is so. A row that nobody has seen for a minute tells of the past.
CREATE TABLE IF NOT EXISTS event_refusal (
  part text PRIMARY KEY,
  reason text NOT NULL,
  remedy text NOT NULL,
  host text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
