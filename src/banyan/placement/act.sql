-- What people and hosts did that leaves no history of its own: one row per act, written in the transaction of the act itself
-- (act-rows.ts), for the audit. Rows stay, as those of placements do: there are as many as people did things.
-- What a version before had is taken over once, as far as its rows still say.
DO $$ BEGIN
  IF to_regclass('act') IS NULL THEN
    CREATE TABLE act (
      id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      source text NOT NULL,
      module text,
      -- Null: a host did it by itself, or nobody's name was kept.
      by text,
      what text NOT NULL,
      detail jsonb
    );
    CREATE INDEX act_at ON act (at);
    INSERT INTO act (at, source, by, what, detail)
    SELECT made_at AS at, 'operator', made_by, 'added the operator ' || name, jsonb_build_object('scopes', scopes) FROM operator
    UNION ALL
    SELECT revoked_at, 'operator', revoked_by, 'revoked the operator ' || name, NULL FROM operator WHERE revoked_at IS NOT NULL
    UNION ALL
    SELECT made_at, 'key', NULL, 'made a key of ' || name || ' (' || purpose || ')', jsonb_build_object('kid', kid, 'modules', modules)
    FROM key
    UNION ALL
    SELECT retired_at, 'key', NULL, 'put another key in place of one of ' || name || ' (' || purpose || ')',
      jsonb_build_object('kid', kid) FROM key WHERE retired_at IS NOT NULL
    ORDER BY at;
    IF to_regclass('ladder') IS NOT NULL THEN
      INSERT INTO act (at, source, module, by, what) SELECT started_at, 'ladder', module, started_by, 'started a ladder' FROM ladder;
    END IF;
  END IF;
END $$;
