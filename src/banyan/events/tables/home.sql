-- The server on which these tables were, and its timeline, when somebody last looked whether the log is ahead of them
-- (restored/home.ts): one row. A restore to a point in time, and a replica that takes over, begin another timeline.
CREATE TABLE IF NOT EXISTS event_home (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  system text NOT NULL,
  timeline text NOT NULL,
  noted_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
