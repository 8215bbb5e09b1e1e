-- What the control schema knows of who changed what, as one list. $1, $2: those before this time and id (null: from the
-- newest on); $3: of this module; $4: who has this in the name; $5, $6: from, to; $7: how many; $8: of this source.
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at, id, source, module, actor, by, what, reason, detail
FROM (
  SELECT changed_at AS at, 'placement:' || lpad(version::text, 18, '0') || '.' || module AS id, 'placement' AS source, module, actor,
    changed_by AS by,
    CASE WHEN from_placement IS NULL THEN 'placed ' || to_placement
      WHEN from_placement = to_placement AND percent IN (0, 100) THEN 'stays ' || to_placement
      ELSE from_placement || ' to ' || to_placement || CASE WHEN percent NOT IN (0, 100) THEN ' ' || percent || ' %' ELSE '' END
    END AS what, reason, evidence AS detail
  FROM placement_audit
  UNION ALL
  SELECT at, 'act:' || lpad(id::text, 18, '0'), source, module, CASE WHEN by IS NULL THEN 'host' ELSE 'operator' END, by,
    what, NULL, detail
  FROM act
  UNION ALL
  SELECT started_at, 'store:' || id || '.began', 'store', module, 'operator', started_by,
    task || ' of the store, ' || source || ' to ' || target, NULL, NULL
  FROM store_move
  UNION ALL
  SELECT ended_at, 'store:' || id || '.ended', 'store', module, 'host', NULL,
    'ended: ' || task || ' of the store, ' || source || ' to ' || target, NULL, walk
  FROM store_move WHERE ended_at IS NOT NULL
  UNION ALL
  SELECT started_at, 'comparison:' || id, 'comparison', NULL, 'operator', started_by, 'started a comparison', NULL, asked
  FROM comparison
) AS changes
WHERE ($1::timestamptz IS NULL OR (at, id COLLATE "C") < ($1::timestamptz, $2::text))
  AND ($3::text IS NULL OR module = $3)
  AND ($4::text IS NULL OR strpos(lower(coalesce(by, actor)), lower($4)) > 0)
  AND ($5::timestamptz IS NULL OR at >= $5) AND ($6::timestamptz IS NULL OR at < $6)
  AND ($8::text IS NULL OR source = $8)
ORDER BY changes.at DESC, id COLLATE "C" DESC LIMIT $7
