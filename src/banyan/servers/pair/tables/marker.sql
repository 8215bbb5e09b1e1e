-- What each server that has this store wrote last for the others to see (marker.ts): replicated like any other table, so
-- whoever sees a number there has all that was committed before it.
CREATE TABLE IF NOT EXISTS store_marker (
  server text PRIMARY KEY,
  n bigint NOT NULL,
  at timestamptz NOT NULL
);
