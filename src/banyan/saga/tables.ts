// The tables that a module's sagas live in, inside the module's own schema: a saga commits together with what it is
// about. Idempotent, like the events' tables beside them: run by the schema's owner at every boot. A schema may
// have had them before the engine owned them, made by a migration of its module: there they are found with their rows.
//
// sagas       one row for each saga that a coordinator drives: where it is, and who works on it until when
// saga_steps  what happened to each saga, driven or only watched
// saga_style  one row: the style of sagas that begin from now on

/** Not the business of a module's Prisma schema. */
export const sagaTableNames = ['sagas', 'saga_steps', 'saga_style'] as const;

export function sagaTables(schema: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
  return `
CREATE TABLE IF NOT EXISTS ${schema}.sagas (
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
CREATE INDEX IF NOT EXISTS sagas_due_at_idx ON ${schema}.sagas (due_at);
CREATE INDEX IF NOT EXISTS sagas_open ON ${schema}.sagas (deadline_at) WHERE path <> 'done';

CREATE TABLE IF NOT EXISTS ${schema}.saga_steps (
  saga_id uuid NOT NULL,
  -- Of the event that told of it, or its own.
  id uuid NOT NULL,
  step text NOT NULL,
  -- done or failed
  status text NOT NULL,
  -- monolith, or the id of the instance
  instance text,
  attempts int NOT NULL,
  at timestamptz(3) NOT NULL,
  why text,
  -- The event or request that caused it.
  causation_id text,
  PRIMARY KEY (saga_id, id)
);

CREATE TABLE IF NOT EXISTS ${schema}.saga_style (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  style text NOT NULL CHECK (style IN ('choreography', 'orchestration')),
  changed_at timestamptz(3) NOT NULL,
  changed_by text NOT NULL
);
INSERT INTO ${schema}.saga_style (style, changed_at, changed_by) VALUES ('choreography', now(), 'installation')
ON CONFLICT DO NOTHING;`;
}
