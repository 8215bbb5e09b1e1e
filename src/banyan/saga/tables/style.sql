-- One row: the style of sagas that begin from now on.
CREATE TABLE IF NOT EXISTS saga_style (
  id int PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  style text NOT NULL CHECK (style IN ('choreography', 'orchestration')),
  changed_at timestamptz(3) NOT NULL,
  changed_by text NOT NULL
);
INSERT INTO saga_style (style, changed_at, changed_by) VALUES ('choreography', now(), 'installation')
ON CONFLICT DO NOTHING;
