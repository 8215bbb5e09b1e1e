-- Where a consumer stands before a part of the log that cannot be read: one row per partition, written by whoever
-- runs the consumer and seen again every few seconds. A row that nobody has seen for a minute tells of the past.
CREATE TABLE IF NOT EXISTS event_obstacle (
  topic text NOT NULL,
  partition integer NOT NULL,
  "offset" bigint NOT NULL,
  last bigint NOT NULL,
  reason text NOT NULL,
  remedy text NOT NULL,
  host text NOT NULL,
  since timestamptz NOT NULL DEFAULT clock_timestamp(),
  seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (topic, partition)
);
