-- What people did to sagas: another style, or help for one that was stuck. One row per act, in the transaction of the act
-- itself, for the audit. Nothing is put into it here: where a pair of servers stands, both would get rows of their own.
CREATE TABLE IF NOT EXISTS saga_act (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  by text NOT NULL,
  -- In the past tense: chose orchestration for sagas that begin.
  what text NOT NULL,
  -- Null: of no saga in particular.
  saga_id uuid
);
CREATE INDEX IF NOT EXISTS saga_act_at ON saga_act (at);
