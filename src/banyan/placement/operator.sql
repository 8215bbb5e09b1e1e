-- People and scripts with a token of their own under /admin. The token is kept nowhere, only a hash of it. A row stays
-- when it is revoked: histories name it. The one of ADMIN_TOKEN is kept by the monolith that starts.
CREATE TABLE IF NOT EXISTS operator (
  name text PRIMARY KEY,
  scopes text[] NOT NULL,
  hash text NOT NULL,
  made_at timestamptz NOT NULL DEFAULT now(),
  made_by text NOT NULL,
  revoked_at timestamptz,
  revoked_by text
);
