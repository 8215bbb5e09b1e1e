-- Sessions that a module ended and that control has not been told of: the module writes them in its own transaction, in
-- its own schema, wherever that is, and monoliths carry them over (host/session-carrier.ts). A row says one of two
-- things: all sessions of a user below an epoch have ended, or the one of that name has.
CREATE TABLE IF NOT EXISTS session_end (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  user_id uuid,
  epoch int,
  session text CHECK (length(session) <= 64),
  written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Control would not take it: it has as many as hosts keep in mind.
  refused_at timestamptz,
  CHECK (num_nonnulls(user_id, epoch) = CASE WHEN session IS NULL THEN 2 ELSE 0 END)
);
CREATE INDEX IF NOT EXISTS session_end_refused ON session_end (refused_at) WHERE refused_at IS NOT NULL;

-- Either of a user and an epoch, or of names. What control refuses is refused here as long as something of the kind waits
-- for room, in control's own words. The channel is SESSION_END_CHANNEL (session-ends.ts).
CREATE OR REPLACE FUNCTION end_sessions(p_user_id uuid, p_epoch int, p_names text[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
  IF cardinality(p_names) > 1000 OR EXISTS (
    SELECT FROM session_end WHERE refused_at IS NOT NULL AND (session IS NULL) = (p_names IS NULL)
  ) THEN RAISE program_limit_exceeded USING
    MESSAGE = 'more sessions are revoked than hosts keep in mind', HINT = 'Rotate the key of sessions to end all of them.';
  END IF;
  IF p_names IS NULL THEN INSERT INTO session_end (user_id, epoch) VALUES (p_user_id, p_epoch);
  ELSE INSERT INTO session_end (session) SELECT DISTINCT name FROM unnest(p_names) AS name;
  END IF;
  PERFORM pg_notify('banyan_session_end', '');
END $$;
