// How a database server is set, where that breaks what the library promises: commits that a crash takes back, sessions that are
// ended while they hold a lease, tables that are never vacuumed. What is set for a database or a role holds for new sessions
// at once, so it is read from where it was set. Pure.
import { error, type Finding, ok, orWell, warning } from './finding.ts';
import type { ServerReading } from './server-reading.ts';

const RELOAD = 'SELECT pg_reload_conf()';

/** Whatever the server has it from. */
interface Set {
  readonly name: string;
  readonly value: string;
  /** How it is taken back: where, and the statements. */
  readonly undo: string;
  /** `the server`, `the database shop`, `the role banyan_parcels`. */
  readonly where: string;
}

const off = (value: string) => /^(off|false|no|0)$/i.test(value);
const on = (value: string) => /^(on|true|yes|1)$/i.test(value);

const units: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** A time as PostgreSQL writes it, in milliseconds; without a unit it is that already. */
export function timeOf(text: string): number {
  const [, number, unit = 'ms'] = /^'?(\d+(?:\.\d+)?)\s*([a-z]+)?'?$/.exec(text.trim()) ?? [];
  return number === undefined ? 0 : Number(number) * (units[unit] ?? 1);
}

/** Leases are renewed within seconds, and a migration may wait for a lock. */
const SHORT_MS = 10_000;

/** What each of them is to be set to on a server. */
const well: Readonly<Record<string, string>> = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  default_transaction_read_only: 'off',
  default_transaction_isolation: "'read committed'",
  autovacuum: 'on',
  track_counts: 'on',
  idle_session_timeout: '0',
  transaction_timeout: '0',
};

/** Each answers what is wrong with a value, or nothing. */
const rules: Readonly<
  Record<string, (value: string) => readonly [level: 'error' | 'warning', words: string] | undefined>
> = {
  fsync: (value) =>
    off(value) ? ['error', 'a crash of its machine may leave the database unreadable'] : undefined,
  full_page_writes: (value) =>
    off(value) ? ['error', 'a crash of its machine may leave pages half written'] : undefined,
  synchronous_commit: (value) =>
    off(value) ? ['error', 'what was answered as done may be gone after a crash'] : undefined,
  default_transaction_read_only: (value) => (on(value) ? ['error', 'nothing can be written'] : undefined),
  default_transaction_isolation: (value) =>
    /read committed/i.test(value)
      ? undefined
      : ['warning', 'transactions are refused that would wait for one another at read committed'],
  autovacuum: (value) =>
    off(value) ? ['warning', 'tables grow, and one day nothing can be written'] : undefined,
  track_counts: (value) => (off(value) ? ['warning', 'autovacuum does not know what to do'] : undefined),
  idle_session_timeout: (value) =>
    timeOf(value) > 0
      ? ['warning', 'it ends sessions that listen or wait in a pool, again and again']
      : undefined,
  statement_timeout: tooShort('statements'),
  transaction_timeout: tooShort('transactions'),
  idle_in_transaction_session_timeout: tooShort('transactions that wait for this host'),
};

function tooShort(what: string) {
  return (value: string): readonly ['warning', string] | undefined => {
    const ms = timeOf(value);
    return ms > 0 && ms < SHORT_MS
      ? ['warning', `${what} end after ${ms} ms, before a lease or a migration is done`]
      : undefined;
  };
}

/** Roles of the library have times of their own; what the server says of these holds for nobody here. */
const OF_ROLES: readonly string[] = ['statement_timeout', 'idle_in_transaction_session_timeout'];

export function settingsOf(reading: ServerReading): Finding[] {
  const { subject } = reading.asked;
  const found = sets(reading).flatMap(({ name, value, undo, where }) => {
    const wrong = rules[name]?.(value);
    if (!wrong) return [];
    const [level, words] = wrong;
    const make = level === 'error' ? error : warning;
    return [make('setting', subject, `${name} = ${value} (${where}): ${words}`, undo)];
  });
  const standby = reading.isStandby
    ? [
        error(
          'setting',
          subject,
          'is a standby, and takes no writes',
          'Let the URL name the primary: docs/operations.md#stores-on-other-database-servers',
        ),
      ]
    : [];
  return orWell([...standby, ...found], 'setting', subject, 'is set as it has to be');
}

/** The same for several roles is said once. */
function sets({ settings, onCommandLine, given, database, user, asked }: ServerReading): Set[] {
  // A session of the administrator begins with what is set for it, the database, or all: the server need not have said so.
  const covered = new Set(
    given.filter((one) => one.role === user || one.by !== 'role').map(({ name }) => name),
  );
  const there = asked.isHere ? 'Run there' : 'In the parameters of a managed server, or run there';
  const ofServer = Object.entries(settings)
    .filter(([name]) => !OF_ROLES.includes(name) && !covered.has(name))
    .map(([name, value]) => ({
      name,
      value,
      where: 'the server',
      // It overrides what a file says, and not what the server was started with.
      undo: onCommandLine.includes(name)
        ? `It is on the command line of the server. Start it without it, or with ${name} = ${well[name]}`
        : `${there}: ALTER SYSTEM SET ${name} = ${well[name]}; ${RELOAD}`,
    }));
  const ofOthers = given.map(({ role, name, value, by }) => ({
    name,
    value,
    ...placeOf(by, role, database, name),
  }));
  return [...new Map([...ofServer, ...ofOthers].map((one) => [`${one.name} ${one.where}`, one])).values()];
}

function placeOf(by: ServerReading['given'][number]['by'], role: string, database: string, name: string) {
  if (by === 'all') return { where: 'all roles', undo: `Run there: ALTER ROLE ALL RESET ${name}` };
  if (by === 'database')
    return {
      where: `the database ${database}`,
      undo: `Run there: ALTER DATABASE "${database}" RESET ${name}`,
    };
  return {
    where: `the role ${role}`,
    undo: `Run there: ALTER ROLE "${role}" RESET ${name}; ALTER ROLE "${role}" IN DATABASE "${database}" RESET ${name}`,
  };
}

export function versionOf({ asked, versionNumber, settings }: ServerReading): Finding {
  const version = `${Math.floor(versionNumber / 10_000)}.${versionNumber % 10_000}`;
  const zone =
    settings.TimeZone === undefined ? '' : `, time zone ${settings.TimeZone} (times are kept with theirs)`;
  if (versionNumber >= 160_000) return ok('server', asked.subject, `PostgreSQL ${version}${zone}`);
  return error(
    'server',
    asked.subject,
    `is PostgreSQL ${version}`,
    'Use 16 or newer: docs/operations.md#stores-on-servers-of-their-own',
  );
}
