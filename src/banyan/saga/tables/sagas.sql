-- One row for each saga that a coordinator drives: where it is, and who works on it until when.
CREATE TABLE IF NOT EXISTS sagas (
  id uuid PRIMARY KEY,
  -- forward, undo, after (what follows an undo), done; and the step of that path (definition.ts)
  path text NOT NULL,
  step text NOT NULL,
  -- What the steps need.
  data json NOT NULL,
  -- Why it is undone, and so how it ends; null while it goes forward.
  ending text,
  -- Of the present step: what went wrong with it last, how often it was tried, whether its answer comes by itself.
  trouble text,
  attempts int NOT NULL DEFAULT 0,
  awaits boolean NOT NULL DEFAULT false,
  -- Raised by each claim, move and redirect: who holds an older one has lost the row.
  version int NOT NULL DEFAULT 0,
  -- When to look at it: while leased the end of the lease; null when there is nothing to do.
  due_at timestamptz(3),
  -- When the present step is late, and the saga stuck.
  deadline_at timestamptz(3),
  -- What started it, for the trace and the chain of events.
  cause json,
  updated_at timestamptz(3) NOT NULL
);
CREATE INDEX IF NOT EXISTS sagas_due_at_idx ON sagas (due_at);
CREATE INDEX IF NOT EXISTS sagas_open ON sagas (deadline_at) WHERE path <> 'done';
