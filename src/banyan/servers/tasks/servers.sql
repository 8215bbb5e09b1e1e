-- What is done to stores, so that whoever does it may be killed: one row for each task, the newest of a module being its
-- present or last one; and how the pairs do that stand. Where a store is, is placement's (control.sql).
-- Run by the owner of the control schema with that schema alone in the search path (postgres/sql-file.ts).
CREATE TABLE IF NOT EXISTS store_move (
  id uuid PRIMARY KEY,
  module text NOT NULL,
  task text NOT NULL,
  source text NOT NULL,
  target text NOT NULL,
  -- Where it is, written before each step begins (steps.ts).
  walk jsonb NOT NULL,
  -- Which step was begun when, with the attempt.
  steps jsonb NOT NULL DEFAULT '[]',
  -- What was found, copied, measured and compared.
  found jsonb NOT NULL DEFAULT '{}',
  open boolean NOT NULL DEFAULT true,
  -- Somebody wants it ended.
  unwanted boolean NOT NULL DEFAULT false,
  -- The monolith that does it, until then; it says so again while it lives.
  coordinator uuid,
  coordinator_until timestamptz NOT NULL DEFAULT now(),
  started_by text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  ended_at timestamptz
);
-- One at a time, of each module.
CREATE UNIQUE INDEX IF NOT EXISTS store_move_open ON store_move (module) WHERE open;
CREATE INDEX IF NOT EXISTS store_move_newest ON store_move (module, started_at DESC);

-- What the end of a pair left on the server that followed: its schema is dropped there when it is due, unless it is in use again.
CREATE TABLE IF NOT EXISTS store_left (
  module text NOT NULL,
  server text NOT NULL,
  left_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  due timestamptz NOT NULL,
  PRIMARY KEY (module, server)
);

-- What was last seen of a pair, by one monolith for all.
CREATE TABLE IF NOT EXISTS store_pair (
  module text PRIMARY KEY,
  state text NOT NULL,
  lag_bytes bigint,
  lag_ms bigint,
  reason text,
  looked_at timestamptz NOT NULL DEFAULT now(),
  looker uuid,
  looker_until timestamptz NOT NULL DEFAULT now()
);
-- What the owner's slot keeps of its log for the one that follows: the disk that a server that is away costs.
ALTER TABLE store_pair ADD COLUMN IF NOT EXISTS kept_bytes bigint;
