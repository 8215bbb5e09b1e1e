-- Who may do what in the log. Whoever may write its tables may do all; every other role is asked for by the name under
-- which it logged in (session_user, which no SET ROLE changes), in tables that no module's role may touch. The checks name
-- their schema: a search path of their own would be set at every call.

CREATE OR REPLACE FUNCTION may_all() RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.has_table_privilege(session_user, 'banyan_log.record', 'INSERT')
$$;

-- Raises unless the session's role may append to (or read) all of the topics.
CREATE OR REPLACE FUNCTION check_topics(p_topics text[], p_appends boolean) RETURNS void LANGUAGE plpgsql STABLE AS $$
DECLARE
  refused text;
BEGIN
  IF banyan_log.may_all() THEN RETURN; END IF;
  SELECT string_agg(name, ', ') INTO refused FROM unnest(p_topics) AS name
  WHERE NOT EXISTS (
    SELECT FROM banyan_log.role_topic r WHERE r.role = session_user AND r.topic = name
      AND CASE WHEN p_appends THEN r.appends ELSE r.reads END AND (r.ends_at IS NULL OR r.ends_at > now())
  );
  IF refused IS NULL THEN RETURN; END IF;
  RAISE insufficient_privilege USING
    MESSAGE = format('the role %s may not %s %s', session_user, CASE WHEN p_appends THEN 'append to' ELSE 'read' END, refused),
    HINT = 'A monolith of this version grants what contracts and listeners say: start it first.';
END $$;

-- The same by the topics' numbers.
CREATE OR REPLACE FUNCTION check_ids(p_topics integer[], p_appends boolean) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF banyan_log.may_all() OR NOT EXISTS (
    SELECT FROM unnest(p_topics) AS n WHERE NOT EXISTS (
      SELECT FROM banyan_log.topic t JOIN banyan_log.role_topic r ON r.topic = t.name
      WHERE t.id = n AND r.role = session_user AND CASE WHEN p_appends THEN r.appends ELSE r.reads END
        AND (r.ends_at IS NULL OR r.ends_at > now())
    )
  ) THEN RETURN; END IF;
  -- It says which.
  PERFORM banyan_log.check_topics((
    SELECT array_agg(DISTINCT coalesce(t.name, 'topic ' || n)) FROM unnest(p_topics) AS n LEFT JOIN banyan_log.topic t ON t.id = n
  ), p_appends);
END $$;

CREATE OR REPLACE FUNCTION check_group(p_group text) RETURNS void LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF banyan_log.may_all() OR EXISTS (SELECT FROM banyan_log.role_group WHERE role = session_user AND group_name = p_group) THEN RETURN; END IF;
  RAISE insufficient_privilege USING
    MESSAGE = format('the role %s is not the consumer group %s', session_user, p_group),
    HINT = 'A monolith of this version grants what contracts and listeners say: start it first.';
END $$;

-- Sets the rights given as [{role, group, appends, reads}] (the latter two lists of topics), and makes the topics.
CREATE OR REPLACE FUNCTION set_rights(p_rights json, p_partitions integer) RETURNS void LANGUAGE plpgsql SET search_path = banyan_log, pg_temp AS $$
BEGIN
  PERFORM ensure_topic(name, p_partitions)
  FROM (
    SELECT DISTINCT json_array_elements_text(g.appends) AS name FROM json_to_recordset(p_rights) AS g (appends json) ORDER BY 1
  ) wanted;
  WITH given AS MATERIALIZED (
    SELECT g.role, t.topic, bool_or(t.appends) AS appends, bool_or(t.reads) AS reads
    FROM json_to_recordset(p_rights) AS g (role name, appends json, reads json)
    CROSS JOIN LATERAL (
      SELECT json_array_elements_text(g.appends) AS topic, true AS appends, false AS reads
      UNION ALL SELECT json_array_elements_text(g.reads), false, true
    ) t
    GROUP BY 1, 2
  ), gone AS (
    UPDATE role_topic r SET ends_at = now() + interval '1 hour'
    WHERE r.ends_at IS NULL AND NOT EXISTS (SELECT FROM given g WHERE g.role = r.role AND g.topic = r.topic)
  )
  INSERT INTO role_topic AS r (role, topic, appends, reads)
  SELECT role, topic, appends, reads FROM given ORDER BY 1, 2
  ON CONFLICT (role, topic) DO UPDATE SET appends = excluded.appends, reads = excluded.reads, ends_at = NULL
    WHERE (r.appends, r.reads, r.ends_at) IS DISTINCT FROM (excluded.appends, excluded.reads, NULL);
  DELETE FROM role_topic WHERE ends_at < now();
  DELETE FROM role_group r WHERE NOT EXISTS (
    SELECT FROM json_to_recordset(p_rights) AS g (role name, "group" text) WHERE g.role = r.role AND g."group" = r.group_name
  );
  INSERT INTO role_group (role, group_name)
  SELECT role, "group" FROM json_to_recordset(p_rights) AS g (role name, "group" text) ON CONFLICT DO NOTHING;
END $$;
