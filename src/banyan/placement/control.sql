-- What placement control keeps: where modules serve, who is there, which processes are wanted, whose sessions ended.
-- Run by the schema's owner with this schema alone in the search path (postgres/sql-file.ts).
CREATE TABLE IF NOT EXISTS state (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  version bigint NOT NULL DEFAULT 0
);
-- Until then every host keeps traces.
ALTER TABLE state ADD COLUMN IF NOT EXISTS recording_until timestamptz;
-- And since when without a gap: of what happened before nobody kept any.
ALTER TABLE state ADD COLUMN IF NOT EXISTS recording_since timestamptz;
INSERT INTO state DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS placement (
  module text PRIMARY KEY,
  placement text NOT NULL,
  percent int NOT NULL CHECK (percent BETWEEN 0 AND 100),
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL
);

CREATE TABLE IF NOT EXISTS placement_audit (
  version bigint NOT NULL,
  module text NOT NULL,
  from_placement text,
  to_placement text NOT NULL,
  percent int NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL,
  PRIMARY KEY (version, module)
);
-- How many percent of what is served in-process the service is asked as well; null: nothing is mirrored.
ALTER TABLE placement ADD COLUMN IF NOT EXISTS mirror jsonb;
ALTER TABLE placement_audit ADD COLUMN IF NOT EXISTS mirror jsonb;

-- Who changed it (an operator, or the judge), why, and on which numbers. Versions before knew operators alone.
ALTER TABLE placement_audit ADD COLUMN IF NOT EXISTS actor text NOT NULL DEFAULT 'operator';
ALTER TABLE placement_audit ADD COLUMN IF NOT EXISTS reason text;
ALTER TABLE placement_audit ADD COLUMN IF NOT EXISTS evidence jsonb;
-- Requests of the module that failed from this flip until it was over, as a console counted them; null: nobody looked.
ALTER TABLE placement_audit ADD COLUMN IF NOT EXISTS failed bigint;

-- One row per local process that is wanted, with who looks after it and what was last started for it.
CREATE TABLE IF NOT EXISTS service (
  module text NOT NULL,
  number int NOT NULL CHECK (number > 0),
  wanted boolean NOT NULL DEFAULT true,
  supervisor uuid,
  machine text,
  pid int,
  started text,
  failures int NOT NULL DEFAULT 0,
  last_exit text,
  PRIMARY KEY (module, number)
);

-- Every process that runs modules. live, ready, draining (it stops), retiring (it was taken out of rotation)
-- and replaceable (it serves until its successor is healthy) change with a version; the rest is what the last
-- heartbeat said.
CREATE TABLE IF NOT EXISTS host (
  host uuid PRIMARY KEY,
  id text NOT NULL,
  role text NOT NULL,
  modules text[] NOT NULL,
  url text NOT NULL,
  public_url text,
  pid int NOT NULL,
  machine text NOT NULL,
  started text NOT NULL,
  doors text[] NOT NULL,
  live boolean NOT NULL DEFAULT true,
  ready boolean NOT NULL DEFAULT false,
  draining boolean NOT NULL DEFAULT false,
  retiring boolean NOT NULL DEFAULT false,
  replaceable boolean NOT NULL DEFAULT false,
  applied_version bigint NOT NULL DEFAULT 0,
  inflight jsonb NOT NULL DEFAULT '{}',
  busy jsonb NOT NULL DEFAULT '{}',
  contracts jsonb NOT NULL DEFAULT '{}',
  differences jsonb NOT NULL DEFAULT '[]',
  registered_at timestamptz NOT NULL DEFAULT now(),
  heartbeat_at timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 50);
-- What the gateway of this host holds out, by host; as of its last heartbeat.
ALTER TABLE host ADD COLUMN IF NOT EXISTS held jsonb NOT NULL DEFAULT '{}';
-- The key by which it spoke when it registered; null: by INTERNAL_KEY, or to a monolith of the version before.
ALTER TABLE host ADD COLUMN IF NOT EXISTS kid text;
-- Which words of placement it knows; empty: those of the version before.
ALTER TABLE host ADD COLUMN IF NOT EXISTS speaks text[] NOT NULL DEFAULT '{}';
-- Of the stores that have moved, by module: which epoch its pool follows, whether it is held, and what is under way there.
ALTER TABLE host ADD COLUMN IF NOT EXISTS stores jsonb NOT NULL DEFAULT '{}';

-- Of which release it says to be; null: it says nothing of it.
ALTER TABLE host ADD COLUMN IF NOT EXISTS release text;

-- A release of a module beside the one before: which percent of the keys its instances get. `before`: the releases that get the
-- others ('': those that say none; none at all: whatever is not this release). No row: whoever is there serves.
CREATE TABLE IF NOT EXISTS deploy (
  module text PRIMARY KEY,
  release text NOT NULL,
  percent int NOT NULL CHECK (percent BETWEEN 0 AND 100),
  before text[] NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL
);
-- Of each service name the last process that was kept out because its contract breaks its callers, and where.
CREATE TABLE IF NOT EXISTS kept_out (
  name text PRIMARY KEY,
  id text NOT NULL,
  release text NOT NULL,
  differences jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- On which server a module's store is, which alone takes writes (`server`; no row: the shared one, which DATABASE_URL
-- names), and whether it takes any now. An address without a password: {host, port, database, socket?, sslmode?}; null: as
-- DATABASE_URL says. `next`: where it is about to go. `paired_with`: the server that follows it.
CREATE TABLE IF NOT EXISTS store (
  module text PRIMARY KEY,
  server text NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  gate text NOT NULL DEFAULT 'open' CHECK (gate IN ('open', 'held')),
  address jsonb,
  next jsonb,
  paired_with text,
  changed_at timestamptz NOT NULL DEFAULT now(),
  changed_by text NOT NULL
);

-- Modules that are asked in the course of a replay of past events: who calls others by them may say so until then.
CREATE TABLE IF NOT EXISTS replay (
  module text PRIMARY KEY,
  until timestamptz NOT NULL
);

-- Processes of services that ended without a drain: what no count of requests shows. Kept for a day.
CREATE TABLE IF NOT EXISTS ended (
  host uuid PRIMARY KEY,
  id text NOT NULL,
  modules text[] NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
-- It was only not heard of: its process may live.
ALTER TABLE ended ADD COLUMN IF NOT EXISTS silent boolean NOT NULL DEFAULT false;
-- How, as its supervisor saw it: `ended by SIGKILL`; null: nobody did.
ALTER TABLE ended ADD COLUMN IF NOT EXISTS how text;
CREATE INDEX IF NOT EXISTS ended_at ON ended (at);

CREATE TABLE IF NOT EXISTS revoked (
  user_id uuid PRIMARY KEY,
  epoch int NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);

-- Every host keeps what is revoked in memory and is sent it whole: whoever may add to it must not be able to drown them.
-- Of either table no more rows count than this: some MB.
CREATE OR REPLACE FUNCTION refuse_flood(many boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF many THEN RAISE program_limit_exceeded USING
    MESSAGE = 'more sessions are revoked than hosts keep in mind', HINT = 'Rotate the key of sessions to end all of them.';
  END IF;
END $$;
REVOKE ALL ON FUNCTION refuse_flood(boolean) FROM PUBLIC;

-- Called by modules of the version before in their own transaction, so it takes no lock that a flip would wait for; those
-- of now write a row in their own schema (session-end.sql). The channel is CONTROL_CHANNEL (schema.ts).
CREATE OR REPLACE FUNCTION revoke(user_id uuid, epoch int) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = banyan_control, pg_temp AS $$
  SELECT refuse_flood(EXISTS (SELECT FROM revoked WHERE at > now() - interval '13 hours' OFFSET 100000));
  INSERT INTO revoked AS r (user_id, epoch) VALUES ($1, $2)
  ON CONFLICT (user_id) DO UPDATE SET epoch = greatest(r.epoch, excluded.epoch), at = now();
  SELECT pg_notify('banyan_control', 'revoked');
$$;
REVOKE ALL ON FUNCTION revoke(uuid, int) FROM PUBLIC;
