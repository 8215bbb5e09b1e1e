-- The key ring: every key pair by which hosts of this installation know one another, sign sessions and seal texts.
-- `name` is whose it is: the module that signs sessions or reads what is sealed for it, the service that an internal
-- key stands for (`monolith`: monoliths and gateways). `public` is the public half. `sealed` is the private half, under
-- the root key (a compact JWE, identity/root-key.ts); null where only its owner has it.
-- A key is announced (neither date), then present (signs_from), then old (retired_at); the row of an old one goes when
-- nothing that was made with it can be alive. Each of these steps takes the next version of `state`.
CREATE TABLE IF NOT EXISTS key (
  kid text PRIMARY KEY,
  purpose text NOT NULL CHECK (purpose IN ('session', 'internal', 'seal')),
  name text NOT NULL,
  modules text[] NOT NULL,
  public jsonb NOT NULL,
  sealed text,
  made_at timestamptz NOT NULL DEFAULT now(),
  signs_from timestamptz,
  retired_at timestamptz
);

-- The modules of the product, and which others each of them calls (`uses` of its module.ts): who follows placement
-- loads no module.
CREATE TABLE IF NOT EXISTS module (
  name text PRIMARY KEY,
  uses text[] NOT NULL
);
