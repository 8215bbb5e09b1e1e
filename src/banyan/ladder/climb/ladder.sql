-- A module's way up to its service, so that whoever judges it may be killed: one row a module, the present or the last ladder.
-- Run by the owner of the control schema with that schema alone in the search path (postgres/sql-file.ts).
CREATE TABLE IF NOT EXISTS ladder (
  module text PRIMARY KEY,
  run uuid NOT NULL,
  -- Where it is and what it was asked for (steps.ts).
  climb jsonb NOT NULL,
  -- What was counted on this rung (watch.ts).
  counted jsonb,
  -- Somebody judges it: while it climbs or waits, and above, where it was reached by a ladder or is guarded.
  watched boolean NOT NULL,
  -- The version in which the ladder placed the module last: a later one is a person's.
  placed bigint NOT NULL DEFAULT 0,
  -- The monolith that judges it, until then; it says so again while it lives.
  judge uuid,
  judge_until timestamptz NOT NULL DEFAULT now(),
  started_by text NOT NULL,
  started_at timestamptz NOT NULL DEFAULT now(),
  changed_at timestamptz NOT NULL DEFAULT now()
);

-- What the judge last thought of a rung; of the present run alone, since histories keep the numbers of every change.
CREATE TABLE IF NOT EXISTS ladder_evidence (
  module text NOT NULL,
  rung text NOT NULL,
  metric text NOT NULL,
  near_n bigint NOT NULL,
  near_bad bigint NOT NULL,
  far_n bigint NOT NULL,
  far_bad bigint NOT NULL,
  verdict text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (module, rung, metric)
);

-- Both sides of answers that differed, without what is a customer's (samples.ts).
CREATE TABLE IF NOT EXISTS ladder_sample (
  id uuid PRIMARY KEY,
  module text NOT NULL,
  operation text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  why jsonb NOT NULL,
  near jsonb NOT NULL,
  far jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS ladder_sample_newest ON ladder_sample (module, operation, at DESC, id DESC);

-- What is to be told to whoever asked for it (NOTIFY_URL), written by the move itself.
CREATE TABLE IF NOT EXISTS ladder_notice (
  id uuid PRIMARY KEY,
  position bigint GENERATED ALWAYS AS IDENTITY,
  at timestamptz NOT NULL DEFAULT now(),
  notice jsonb NOT NULL,
  tries int NOT NULL DEFAULT 0,
  -- Not before then: a host has it in hand, or it waits after a failure.
  due timestamptz NOT NULL DEFAULT now()
);
