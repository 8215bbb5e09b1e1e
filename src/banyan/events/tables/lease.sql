-- One row per piece of work that one process does at a time (lease.ts). It is free once it has expired, or as soon
-- as the database session of its holder is gone: a killed holder is noticed at once, a frozen one by time.
CREATE TABLE IF NOT EXISTS event_lease (
  name text PRIMARY KEY,
  holder text,
  pid integer,
  session_start timestamptz,
  expires_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO event_lease (name) VALUES ('relay') ON CONFLICT DO NOTHING;

CREATE OR REPLACE FUNCTION event_lease_is_free(lease event_lease) RETURNS boolean
LANGUAGE sql STABLE AS $$
  SELECT lease.expires_at < clock_timestamp() OR NOT EXISTS (
    SELECT FROM pg_stat_activity WHERE pid = lease.pid AND backend_start = lease.session_start
  )
$$;
