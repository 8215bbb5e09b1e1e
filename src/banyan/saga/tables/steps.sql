-- What happened to each saga, driven or only watched.
CREATE TABLE IF NOT EXISTS saga_steps (
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
