// What a module's database role tries with SQL: to read, to write, to forge, to become another, to make things, to look at
// the server and its files. Each is one statement that has to fail.
import { type Attempt, Refused } from '../attempt.ts';

const topicOf = (topic: string) => `(SELECT id FROM banyan_log.topic WHERE name = '${topic}')`;
const captured = `[{"p": 0, "k": "k", "h": {"ce_type": "payments.payment-captured.v1"}, "v": "{}"}]`;
const everywhere = JSON.stringify(Array.from({ length: 20 }, (_, n) => ({ t: n + 1, p: 0, o: 0 })));
const allTopics = `SELECT json_agg(json_build_object('t', n, 'p', p, 'o', 0)) FROM generate_series(20, 1, -1) n, generate_series(0, 5) p`;
const nobody = '00000000-0000-7000-8000-000000000001';

const reads: readonly [name: string, sql: string][] = [
  ['accounts', 'SELECT email, password_hash FROM users.users'],
  ['orders and their card tokens', 'SELECT * FROM orders.orders'],
  ['payments', 'SELECT * FROM payments.payments'],
  ["the network's ledger", 'SELECT * FROM card_network.charges'],
  ['mails', 'SELECT * FROM notifications.notifications'],
  ['reservations', 'SELECT * FROM catalog.reservations'],
  ['outboxes of others', 'SELECT data FROM orders.event_outbox'],
  ['inboxes of others', 'SELECT * FROM payments.event_delivery'],
  ['card tokens in the log', `SELECT value FROM banyan_log.record WHERE value LIKE '%paymentToken%'`],
  ['addresses in the log', `SELECT value FROM banyan_log.record WHERE value LIKE '%@%'`],
  ['topics and offsets', 'SELECT * FROM banyan_log.topic JOIN banyan_log.partition ON topic = id'],
  ['groups of others', 'SELECT * FROM banyan_log.claim'],
  ['members of groups', 'SELECT * FROM banyan_log.member'],
  ['the registry', 'SELECT * FROM banyan_control.host'],
  ['placements', 'SELECT * FROM banyan_control.placement'],
  ['the key ring', 'SELECT * FROM banyan_control.key'],
  ['operators', 'SELECT * FROM banyan_control.operator'],
  ['limits of others', 'SELECT * FROM users.limits'],
  ['passwords of roles', 'SELECT rolname, rolpassword FROM pg_authid'],
  ['shadows of roles', 'SELECT * FROM pg_shadow'],
  ['files of the server', `SELECT pg_read_file('postgresql.conf')`],
  ['folders of the server', `SELECT pg_ls_dir('.')`],
  ['rules of entry', 'SELECT * FROM pg_hba_file_rules'],
  ['large objects of others', 'SELECT * FROM pg_largeobject'],
  ['statistics with values of others', `SELECT * FROM pg_statistic`],
];

const changes: readonly [name: string, sql: string][] = [
  [
    'appends to the topic of payments by its table',
    `INSERT INTO banyan_log.record (topic, partition, "offset", key, headers, value)
     VALUES (${topicOf('payments.events')}, 0, 1000000, 'k', '{}', '{}')`,
  ],
  [
    'appends to the topic of payments by a function',
    `SELECT banyan_log.append(${topicOf('payments.events')}, '${captured}')`,
  ],
  [
    'appends to a topic by its number',
    `SELECT banyan_log.append(n, '${captured}') FROM generate_series(1, 20) n`,
  ],
  [
    'has its own relay send to the topic of payments',
    `INSERT INTO media.event_outbox (id, topic, key, sequence, type, data, correlation_id)
     VALUES (gen_random_uuid(), 'payments.events', 'k', 1, 'payments.payment-captured.v1', '{}', 'c')`,
  ],
  [
    'publishes to the topic of payments',
    `SELECT media.emit_event(gen_random_uuid(), 'payments.events', 'k', 'payments.payment-captured.v1', '{}')`,
  ],
  ['takes the rule off its outbox', 'ALTER TABLE media.event_outbox DROP CONSTRAINT event_outbox_topic'],
  [
    'writes into the outbox of payments',
    `SELECT payments.emit_event(gen_random_uuid(), 'payments.events', 'k', 't', '{}')`,
  ],
  ['changes what was said', `UPDATE banyan_log.record SET value = '{}'`],
  ['removes what was said', 'DELETE FROM banyan_log.record'],
  ['empties the log', 'TRUNCATE banyan_log.record'],
  ['makes a topic', `SELECT banyan_log.ensure_topic('stolen.events', 1)`],
  ['moves the offsets of others', 'UPDATE banyan_log.claim SET committed = committed + 1000000'],
  [
    'commits the offsets of others',
    `SELECT banyan_log.commit_offsets(group_name, member, json_build_array(json_build_object(
       't', topic, 'p', partition, 'o', 1000000, 'release', true))) FROM banyan_log.claim`,
  ],
  [
    'joins the group of orders',
    `SELECT * FROM banyan_log.beat('orders', gen_random_uuid(), pg_backend_pid(), now(), ARRAY['payments.events'], '1 h')`,
  ],
  ['throws others out of their groups', 'DELETE FROM banyan_log.member'],
  // By the doors of the log, which ask for the right of who called.
  ['appends by the door', `SELECT banyan_log.append_to(n, '${captured}') FROM generate_series(1, 20) n`],
  ['fetches by the door', `SELECT * FROM banyan_log.fetch_records('${everywhere}', 10)`],
  ['fetches by the door, its own among them', `SELECT * FROM banyan_log.fetch_records((${allTopics}), 10)`],
  [
    'pages by the door',
    `SELECT banyan_log.page_of(n, '[{"p": 0, "o": 0}]', 10, NULL) FROM generate_series(1, 20) n`,
  ],
  ['asks for ends', 'SELECT banyan_log.ends_of(n) FROM generate_series(1, 20) n'],
  ['asks for beginnings', 'SELECT banyan_log.begins_of(n, NULL) FROM generate_series(1, 20) n'],
  ['asks for the topic of payments', `SELECT * FROM banyan_log.topic_named('payments.events')`],
  ['asks how far orders is', `SELECT * FROM banyan_log.lag_of('orders', ARRAY['media.events'])`],
  [
    'asks how far it is in what it does not hear',
    `SELECT * FROM banyan_log.lag_of('media', ARRAY['orders.events', 'media.events'])`,
  ],
  [
    'joins the group of orders by the door',
    `SELECT * FROM banyan_log.group_beat('orders', gen_random_uuid(), pg_backend_pid(), now(), ARRAY['media.events'], '1 h')`,
  ],
  [
    'has its own group hear what others say',
    `SELECT * FROM banyan_log.group_beat('media', gen_random_uuid(), pg_backend_pid(), now(), ARRAY['orders.events'], '1 h')`,
  ],
  [
    'commits for orders by the door',
    `SELECT banyan_log.group_commit('orders', gen_random_uuid(), '[{"t": 1, "p": 0, "o": 1000000, "release": true}]')`,
  ],
  ['takes members of orders out by the door', `SELECT banyan_log.group_leave('orders', gen_random_uuid())`],
  ['makes a topic by the door', `SELECT banyan_log.make_topics(ARRAY['stolen.events'], 1)`],
  [
    'makes the topic of another by the door',
    `SELECT banyan_log.make_topics(ARRAY['media.events', 'stolen.events'], 1)`,
  ],
  [
    'gives itself rights in the log',
    `SELECT banyan_log.set_rights('[{"role": "banyan_media", "group": "orders"}]', 1)`,
  ],
  ['reads who may do what in the log', 'SELECT * FROM banyan_log.role_topic'],
  [
    'writes who may do what in the log',
    `INSERT INTO banyan_log.role_topic VALUES ('banyan_media', 'payments.events', true, true)`,
  ],
  ['locks what groups are dealt out by', 'SELECT * FROM banyan_log.consumer_group FOR UPDATE'],
  ['confirms an order', `UPDATE orders.orders SET status = 'confirmed'`],
  ['makes itself an administrator', `UPDATE users.users SET role = 'admin'`],
  ['ends the sessions of others', `SELECT banyan_control.revoke('${nobody}', 1000000)`],
  ['writes that they ended', `INSERT INTO users.session_end (user_id, epoch) VALUES ('${nobody}', 1000000)`],
  ['has users write so', `SELECT users.end_sessions('${nobody}', 1000000, NULL)`],
  ['moves a module', `UPDATE banyan_control.placement SET placement = 'service', percent = 100`],
  ['has a process started', `INSERT INTO banyan_control.service (module, number) VALUES ('users', 77)`],
  ['throws a host out', 'DELETE FROM banyan_control.host'],
  ['counts a new version', 'UPDATE banyan_control.state SET version = version + 1000'],
  ['takes the lock of control', 'SELECT * FROM banyan_control.state FOR UPDATE'],
  ['is the role of orders', 'SET ROLE banyan_orders'],
  ['is the role of the log', 'SET ROLE banyan_log'],
  ['is its own owner', 'SET ROLE banyan_media_owner'],
  ['is the superuser', 'SET ROLE postgres'],
  ['is another session', 'SET SESSION AUTHORIZATION postgres'],
  ['gives itself the role of orders', 'GRANT banyan_orders TO CURRENT_USER'],
  ['gives itself tables of others', 'GRANT SELECT ON orders.orders TO CURRENT_USER'],
  ['changes the password of orders', `ALTER ROLE banyan_orders PASSWORD 'stolen'`],
  ['changes the settings of orders', `ALTER ROLE banyan_orders SET search_path = media`],
  ['makes itself a superuser', 'ALTER ROLE CURRENT_USER SUPERUSER'],
  ['lifts its own limit of connections', 'ALTER ROLE CURRENT_USER CONNECTION LIMIT -1'],
  ['makes a role', 'CREATE ROLE stolen LOGIN'],
  ['makes a database', 'CREATE DATABASE stolen'],
  ['makes a schema', 'CREATE SCHEMA stolen'],
  ['makes a table beside its own', 'CREATE TABLE media.stolen (x int)'],
  ['makes a table in public', 'CREATE TABLE public.stolen (x int)'],
  ['makes a table of its session', 'CREATE TEMP TABLE topic (id int)'],
  ['makes a function', `CREATE FUNCTION media.stolen() RETURNS int LANGUAGE sql AS 'SELECT 1'`],
  [
    'makes a function of its session',
    `CREATE FUNCTION pg_temp.stolen() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  ],
  [
    'changes a function of the log',
    `CREATE OR REPLACE FUNCTION banyan_log.ensure_topic(text, integer) RETURNS void LANGUAGE sql AS ''`,
  ],
  [
    'puts a trigger on its outbox',
    'CREATE TRIGGER stolen BEFORE INSERT ON media.event_outbox FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()',
  ],
  ['brings an extension', 'CREATE EXTENSION dblink'],
  ['brings a language', 'CREATE EXTENSION plperlu'],
  ['brings a foreign server', 'CREATE EXTENSION postgres_fdw'],
  ['starts a program', `COPY (SELECT 1) TO PROGRAM 'true'`],
  ['reads a file', `COPY media.media FROM '/etc/passwd'`],
  ['writes a file', `COPY (SELECT 1) TO '/tmp/stolen'`],
  ['takes a file in', `SELECT lo_import('/etc/passwd')`],
  ['changes the server', `ALTER SYSTEM SET log_statement = 'all'`],
  ['changes the database', `ALTER DATABASE banyan SET search_path = media`],
  ['passes triggers by', `SET session_replication_role = replica`],
  ['preloads a library', `SET session_preload_libraries = 'stolen'`],
  ['loads a library', `LOAD '/tmp/stolen.so'`],
  ['has the server read its files anew', 'SELECT pg_reload_conf()'],
  [
    'ends the sessions of other roles',
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user',
  ],
  [
    'breaks off the statements of other roles',
    'SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename <> current_user',
  ],
  ['keeps a transaction for ever', `BEGIN; SELECT pg_current_xact_id(); PREPARE TRANSACTION 'stolen'`],
  ['listens to what is replicated', `SELECT pg_create_logical_replication_slot('stolen', 'pgoutput')`],
  ['publishes tables', 'CREATE PUBLICATION stolen FOR ALL TABLES'],
  ['makes a check point', 'CHECKPOINT'],
  ['resets the statistics', 'SELECT pg_stat_reset()'],
];

/** What PostgreSQL lets nobody do inside a transaction. */
const alone = /^(CREATE DATABASE|ALTER SYSTEM|CHECKPOINT|BEGIN)/;

const statement = (name: string, sql: string): Attempt => ({
  name,
  async tries(thief) {
    const rows = await thief.sql(sql, [], !alone.test(sql));
    return `${rows.length} rows: ${JSON.stringify(rows[0] ?? null).slice(0, 200)}`;
  },
});

/** What the catalogue says of the role's rights: nothing outside of its own schema. */
const rights: readonly [name: string, sql: string][] = [
  [
    'has rights on tables of others',
    `SELECT c.oid::regclass::text AS what, p AS may FROM pg_class c,
       unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
     WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f') AND has_table_privilege(c.oid, p)
       AND relnamespace::regnamespace::text NOT IN ('media', 'pg_catalog', 'information_schema')`,
  ],
  [
    'has rights on columns of others',
    `SELECT attrelid::regclass::text AS what, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
     WHERE attnum > 0 AND c.relkind IN ('r', 'v', 'm', 'p', 'f') AND (has_column_privilege(attrelid, attnum, 'SELECT') OR has_column_privilege(attrelid, attnum, 'UPDATE'))
       AND relnamespace::regnamespace::text NOT IN ('media', 'pg_catalog', 'information_schema')`,
  ],
  [
    'has rights on sequences of others',
    `SELECT c.oid::regclass::text AS what FROM pg_class c WHERE c.relkind = 'S'
       AND (has_sequence_privilege(c.oid, 'USAGE') OR has_sequence_privilege(c.oid, 'UPDATE'))
       AND relnamespace::regnamespace::text <> 'media'`,
  ],
  [
    'may make things in a schema',
    `SELECT nspname AS what FROM pg_namespace WHERE has_schema_privilege(oid, 'CREATE') AND nspname !~ '^pg_temp'`,
  ],
  [
    'may make things in a database, or enter another',
    `SELECT datname AS what FROM pg_database WHERE has_database_privilege(oid, 'CREATE')
       OR has_database_privilege(oid, 'TEMP') OR (has_database_privilege(oid, 'CONNECT') AND datallowconn AND datname <> current_database())`,
  ],
  [
    'belongs to other roles',
    `SELECT rolname AS what FROM pg_roles WHERE rolname <> current_user AND pg_has_role(oid, 'MEMBER')`,
  ],
  [
    'may call what runs as another and takes its names from the caller',
    `SELECT oid::regprocedure::text AS what FROM pg_proc WHERE prosecdef AND has_function_privilege(oid, 'EXECUTE')
       AND pronamespace::regnamespace::text <> 'pg_catalog' AND NOT EXISTS (
         SELECT FROM unnest(proconfig) s WHERE s ~ '^search_path=' AND s ~ 'pg_temp$')`,
  ],
];

/** The catalogue answers everybody; what it must not say is that there is something. */
const without = (name: string, sql: string): Attempt => ({
  name,
  async tries(thief) {
    const rows = await thief.sql(sql);
    if (rows.length === 0) throw new Refused('nothing');
    return `${rows.length}: ${JSON.stringify(rows.slice(0, 5))}`;
  },
});

export const database: readonly Attempt[] = [
  {
    name: 'knows a way into the database but that of its own role',
    async tries(thief) {
      const others = thief.databases.filter((url) => new URL(url).username !== `banyan_${thief.self}`);
      if (others.length > 0) return others.map((url) => new URL(url).username).join(', ');
      throw new Refused('none');
    },
  },
  ...reads.map(([name, sql]) => statement(`reads ${name}`, sql)),
  ...changes.map(([name, sql]) => statement(name, sql)),
  ...rights.map(([name, sql]) => without(name, sql)),
];
