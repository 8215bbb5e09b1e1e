-- What a module's own schema knows of who changed what, as one list. $1, $2: those before this time and id (null: from the
-- newest on); $3: the module; $4: who has this in the name; $5, $6: from, to; $7: how many; $8: of this source.
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, id, source, $3::text AS module, actor, by, what, reason,
  detail
FROM (
  SELECT at, 'event:' || id AS id, 'event' AS source, 'operator' AS actor, by,
    CASE action WHEN 'redrive' THEN 'redrove' WHEN 'drop' THEN 'dropped' WHEN 'replay' THEN 'replayed'
      WHEN 'publish' THEN 'published' WHEN 'skip' THEN 'skipped' ELSE action END
    || CASE WHEN event_id IS NULL THEN ' events' ELSE ' the event ' || event_id END
    -- Of its type nothing else in the row tells but the details.
    || CASE WHEN action = 'publish' AND detail ->> 'type' IS NOT NULL THEN ' (' || (detail ->> 'type') || ') by hand' ELSE '' END
    || CASE WHEN original IS NULL THEN '' ELSE ', edited' END AS what,
    why AS reason, detail::jsonb AS detail
  FROM event_audit
  UNION ALL
  SELECT at, 'saga:' || id, 'saga', 'operator', by, what, NULL, CASE WHEN saga_id IS NULL THEN NULL ELSE jsonb_build_object('id', saga_id) END
  FROM saga_act
  UNION ALL
  -- Of a version before, which noted no acts: the change that still stands.
  SELECT changed_at, 'style:' || $3::text, 'saga', 'operator', changed_by, 'chose ' || style || ' for sagas that begin', NULL, NULL
  FROM saga_style WHERE changed_by <> 'installation' AND NOT EXISTS (SELECT FROM saga_act WHERE saga_id IS NULL)
) AS changes
WHERE ($1::timestamptz IS NULL OR (at, id COLLATE "C") < ($1::timestamptz, $2::text))
  AND ($4::text IS NULL OR strpos(lower(coalesce(by, actor)), lower($4)) > 0)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($8::text IS NULL OR source = $8)
ORDER BY changes.at DESC, id COLLATE "C" DESC LIMIT $7
