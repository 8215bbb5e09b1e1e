-- What `extract` and `restore` do in several steps, asked for as one: one row a module, the present or the last one, so that
-- whoever asked may go away and whoever does it may be killed. Run by the owner of the control schema with that schema alone
-- in the search path (postgres/sql-file.ts).
CREATE TABLE IF NOT EXISTS transfer (
  module text PRIMARY KEY,
  id uuid NOT NULL,
  -- What was asked for (transfer-rows.ts).
  wish jsonb NOT NULL,
  step text NOT NULL,
  -- Of a failed one, in words.
  reason text,
  started_by text NOT NULL,
  -- What stands beside the name in histories.
  remark text,
  started_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now(),
  -- The monolith that does it, until then; it says so again while it lives.
  holder uuid,
  held_until timestamptz NOT NULL DEFAULT now()
);
