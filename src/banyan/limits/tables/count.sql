-- rate-limiter-flexible's: points of a key until it expires (milliseconds since the epoch).
CREATE TABLE IF NOT EXISTS limit_count (
  key varchar(255) PRIMARY KEY,
  points integer NOT NULL DEFAULT 0,
  expire bigint
);
CREATE INDEX IF NOT EXISTS limit_count_expire ON limit_count (expire);
