-- What people did to sagas: another style, or help for one that was stuck. One row per act, in the transaction of the act
-- itself, for the audit. What a version before had is taken over once: the style in force.
DO $$ BEGIN
  IF to_regclass('saga_act') IS NULL THEN
    CREATE TABLE saga_act (
      id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      by text NOT NULL,
      -- In the past tense: chose orchestration for sagas that begin.
      what text NOT NULL,
      -- Null: of no saga in particular.
      saga_id uuid
    );
    CREATE INDEX saga_act_at ON saga_act (at);
    INSERT INTO saga_act (at, by, what)
    SELECT changed_at, changed_by, 'chose ' || style || ' for sagas that begin' FROM saga_style WHERE changed_by <> 'installation';
  END IF;
END $$;
