-- What every role does with the log, the log's own and a module's: functions that run as the owner of the tables
-- (SECURITY DEFINER), with a search path of their own, and ask for the right of who called (postgres-log-rights.sql).
-- A module's role has no right on a table, so there is no other way in.

CREATE OR REPLACE FUNCTION make_topics(p_names text[], p_partitions integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
DECLARE
  p_name text;
BEGIN
  FOR p_name IN SELECT name FROM unnest(p_names) AS name ORDER BY name LOOP
    CONTINUE WHEN EXISTS (SELECT FROM topic WHERE name = p_name);
    -- Only its own: a topic that a stranger begins and does not commit would hold up its owner.
    PERFORM check_topics(ARRAY[p_name], true);
    PERFORM ensure_topic(p_name, least(greatest(p_partitions, 1), 64));
  END LOOP;
END $$;

-- No row: there is none. For who may append to it, or read it.
CREATE OR REPLACE FUNCTION topic_named(p_name text) RETURNS TABLE (id integer, name text, partitions integer) LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM role_topic r WHERE r.role = session_user AND r.topic = p_name AND r.appends) THEN
    PERFORM check_topics(ARRAY[p_name], false);
  END IF;
  RETURN QUERY SELECT t.id, t.name, t.partitions FROM topic t WHERE t.name = p_name;
END $$;

CREATE OR REPLACE FUNCTION append_to(p_topic integer, p_records json) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
BEGIN
  PERFORM check_ids(ARRAY[p_topic], true);
  PERFORM append(p_topic, p_records);
END $$;

-- The next records of partitions, given as [{t, p, o}] (topic, partition, offset), at most p_limit of each.
CREATE OR REPLACE FUNCTION fetch_records(p_wanted json, p_limit integer)
RETURNS TABLE (topic integer, partition integer, "offset" bigint, key text, headers json, value text, raw bytea, at float8)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM check_ids(ARRAY(SELECT t FROM json_to_recordset(p_wanted) AS w (t integer)), false);
  RETURN QUERY
    SELECT r.topic, r.partition, r."offset", r.key, r.headers, r.value, r.raw, (extract(epoch FROM r.appended_at) * 1000)::float8
    FROM json_to_recordset(p_wanted) AS w (t integer, p integer, o bigint)
    CROSS JOIN LATERAL (
      SELECT * FROM record WHERE topic = w.t AND partition = w.p AND "offset" >= w.o
      ORDER BY "offset" LIMIT least(p_limit, 1000)
    ) r;
END $$;

-- The same outside of any group: of one topic, up to an offset (e, or null) and a time.
CREATE OR REPLACE FUNCTION page_of(p_topic integer, p_wanted json, p_limit integer, p_until timestamptz)
RETURNS TABLE (topic integer, partition integer, "offset" bigint, key text, headers json, value text, raw bytea, at float8)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM check_ids(ARRAY[p_topic], false);
  RETURN QUERY
    SELECT r.topic, r.partition, r."offset", r.key, r.headers, r.value, r.raw, (extract(epoch FROM r.appended_at) * 1000)::float8
    FROM json_to_recordset(p_wanted) AS w (p integer, o bigint, e bigint)
    CROSS JOIN LATERAL (
      SELECT * FROM record
      WHERE topic = p_topic AND partition = w.p AND "offset" >= w.o AND (w.e IS NULL OR "offset" < w.e)
        AND appended_at <= coalesce(p_until, 'infinity')
      ORDER BY "offset" LIMIT least(p_limit, 1000)
    ) r;
END $$;

-- Of each partition the first offset that is not older than p_from (null: the first that is kept).
CREATE OR REPLACE FUNCTION begins_of(p_topic integer, p_from timestamptz)
RETURNS TABLE (partition integer, first bigint) LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM check_ids(ARRAY[p_topic], false);
  RETURN QUERY
    SELECT p.partition, coalesce((
      SELECT min(r."offset") FROM record r
      WHERE r.topic = p.topic AND r.partition = p.partition AND r.appended_at >= coalesce(p_from, '-infinity')
    ), p.next_offset)
    FROM partition p WHERE p.topic = p_topic;
END $$;

-- Of each partition the offset that the next record will have.
CREATE OR REPLACE FUNCTION ends_of(p_topic integer) RETURNS TABLE (partition integer, next bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM check_ids(ARRAY[p_topic], false);
  RETURN QUERY SELECT p.partition, p.next_offset FROM partition p WHERE p.topic = p_topic;
END $$;

CREATE OR REPLACE FUNCTION lag_of(p_group text, p_topics text[])
RETURNS TABLE (topic text, partition integer, events bigint, seconds float8, next text) LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
#variable_conflict use_column
BEGIN
  PERFORM check_group(p_group);
  PERFORM check_topics(p_topics, false);
  RETURN QUERY
    SELECT t.name, p.partition,
      p.next_offset - greatest(coalesce(c.committed, 0), coalesce(first."offset", p.next_offset)),
      coalesce(extract(epoch FROM clock_timestamp() - first.appended_at), 0)::float8,
      greatest(coalesce(c.committed, 0), coalesce(first."offset", p.next_offset))::text
    FROM topic t
    JOIN partition p ON p.topic = t.id
    LEFT JOIN claim c ON c.group_name = p_group AND c.topic = p.topic AND c.partition = p.partition
    LEFT JOIN LATERAL (
      SELECT r."offset", r.appended_at FROM record r
      WHERE r.topic = p.topic AND r.partition = p.partition AND r."offset" >= coalesce(c.committed, 0)
      ORDER BY r."offset" LIMIT 1
    ) first ON true
    WHERE t.name = ANY (p_topics) ORDER BY 1, 2;
END $$;

-- Tells the group that a member lives and wants these topics, takes what it should have and answers what it
-- has; `surplus` is to be given back. Partitions are dealt out evenly by the members' ids.
-- A member is gone when it expired or its database session is. Of another role's session nobody here sees when it
-- began, only that there is one of that number: that it is the same one is believed until the member expires.
CREATE OR REPLACE FUNCTION group_beat(
  p_group text, p_member uuid, p_pid integer, p_session_start timestamptz, p_topics text[], p_ttl interval
) RETURNS TABLE (topic text, topic_id integer, partition integer, committed bigint, surplus boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
DECLARE
  total integer;
  members integer;
  before integer;
  share integer;
  mine integer;
BEGIN
  PERFORM check_group(p_group);
  PERFORM check_topics(p_topics, false);
  INSERT INTO consumer_group (name) VALUES (p_group) ON CONFLICT DO NOTHING;
  PERFORM FROM consumer_group WHERE name = p_group FOR UPDATE;
  INSERT INTO member (group_name, id, pid, session_start, expires_at)
  VALUES (p_group, p_member, p_pid, p_session_start, clock_timestamp() + least(p_ttl, interval '1 hour'))
  ON CONFLICT (group_name, id) DO UPDATE
    SET expires_at = excluded.expires_at, pid = excluded.pid, session_start = excluded.session_start;
  DELETE FROM member m WHERE m.group_name = p_group AND m.id <> p_member AND (
    m.expires_at < clock_timestamp()
    OR NOT EXISTS (
      SELECT FROM pg_stat_activity a
      WHERE a.pid = m.pid AND (a.backend_start IS NULL OR a.backend_start = m.session_start)
    )
  );
  INSERT INTO claim (group_name, topic, partition)
  SELECT p_group, p.topic, p.partition
  FROM topic t JOIN partition p ON p.topic = t.id
  WHERE t.name = ANY (p_topics)
    AND NOT EXISTS (SELECT FROM claim c WHERE c.group_name = p_group AND c.topic = p.topic AND c.partition = p.partition)
  ON CONFLICT DO NOTHING;
  UPDATE claim c SET member = NULL
  WHERE c.group_name = p_group AND c.member IS NOT NULL
    AND NOT EXISTS (SELECT FROM member m WHERE m.group_name = p_group AND m.id = c.member);

  SELECT count(*), count(*) FILTER (WHERE id < p_member) INTO members, before FROM member WHERE group_name = p_group;
  SELECT count(*), count(*) FILTER (WHERE c.member = p_member) INTO total, mine
  FROM claim c JOIN topic t ON t.id = c.topic
  WHERE c.group_name = p_group AND t.name = ANY (p_topics);
  share := total / members + CASE WHEN before < total % members THEN 1 ELSE 0 END;
  IF mine < share THEN
    UPDATE claim c SET member = p_member
    FROM (
      SELECT f.topic, f.partition FROM claim f JOIN topic t ON t.id = f.topic
      WHERE f.group_name = p_group AND f.member IS NULL AND t.name = ANY (p_topics)
      ORDER BY f.topic, f.partition LIMIT share - mine
    ) free
    WHERE c.group_name = p_group AND c.topic = free.topic AND c.partition = free.partition;
  END IF;
  RETURN QUERY
    SELECT t.name, c.topic, c.partition, c.committed,
      row_number() OVER (ORDER BY c.topic, c.partition) > share
    FROM claim c JOIN topic t ON t.id = c.topic
    WHERE c.group_name = p_group AND c.member = p_member AND t.name = ANY (p_topics);
END $$;

CREATE OR REPLACE FUNCTION group_commit(p_group text, p_member uuid, p_offsets json) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
BEGIN
  PERFORM check_group(p_group);
  PERFORM commit_offsets(p_group, p_member, p_offsets);
END $$;

CREATE OR REPLACE FUNCTION group_leave(p_group text, p_member uuid) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
BEGIN
  PERFORM check_group(p_group);
  DELETE FROM member WHERE group_name = p_group AND id = p_member;
END $$;

-- Whether any member of any group is another session than this one.
CREATE OR REPLACE FUNCTION read_by_others(p_pid integer, p_session_start timestamptz) RETURNS boolean LANGUAGE sql SECURITY DEFINER SET search_path = banyan_log, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM member WHERE expires_at > clock_timestamp()
      AND (pid, session_start) IS DISTINCT FROM (p_pid, p_session_start)
  )
$$;

-- No door: the log's own role alone may call it.
-- As hosts of the version before call it; it goes with them.
CREATE OR REPLACE FUNCTION beat(
  p_group text, p_member uuid, p_pid integer, p_session_start timestamptz, p_topics text[], p_ttl interval
) RETURNS TABLE (topic text, topic_id integer, partition integer, committed bigint, surplus boolean) LANGUAGE sql SET search_path = banyan_log, pg_temp AS $$
  SELECT * FROM group_beat(p_group, p_member, p_pid, p_session_start, p_topics, p_ttl)
$$;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA banyan_log FROM PUBLIC;
