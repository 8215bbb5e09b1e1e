-- Comparisons of architectures that were asked for here: one at a time, over all hosts. Whoever runs one says so again and
-- again; one that nobody says so of is over.
-- Run by the owner of the control schema with that schema alone in the search path (postgres/sql-file.ts).
CREATE TABLE IF NOT EXISTS comparison (
  id uuid PRIMARY KEY,
  asked jsonb NOT NULL,
  state text NOT NULL DEFAULT 'running' CHECK (state IN ('running', 'done', 'failed', 'cancelled', 'lost')),
  -- What it says it does, the newest last.
  lines jsonb NOT NULL DEFAULT '[]',
  -- Somebody wants it ended.
  unwanted boolean NOT NULL DEFAULT false,
  cancelled_by text,
  -- The process, and until when its host is believed to look after it.
  host text NOT NULL,
  machine text,
  pid int,
  started text,
  runner_until timestamptz NOT NULL,
  started_by text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz,
  -- The first line of what was found, or why there is nothing.
  finding text,
  -- report.json and report.html, gzip.
  report bytea,
  page bytea
);
CREATE UNIQUE INDEX IF NOT EXISTS comparison_running ON comparison ((true)) WHERE state = 'running';
CREATE INDEX IF NOT EXISTS comparison_newest ON comparison (started_at DESC);
