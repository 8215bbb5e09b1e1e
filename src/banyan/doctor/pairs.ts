// Pairs of servers that follow each other: whether they do, how far one is behind, and what that costs the disk of the owner; and
// what an ended pair left on a server, which keeps log for nobody. What was last seen of a pair is a row that one monolith
// writes for all (servers/tasks/pairs.ts). Pure.
import type { PairRow } from '../servers/tasks/pair-rows.ts';
import { error, type Finding, ok, unknown, warning } from './finding.ts';
import type { ServerReading, Slot } from './server-reading.ts';

export interface Paired {
  readonly module: string;
  readonly server: string;
  readonly pairedWith: string;
  /** Of the owner's server, in bytes; null: without end, or not known. */
  readonly mostKept: number | null;
}

/** Looked at every three seconds. */
const UNSEEN_MS = 60_000;
const FAR_BEHIND_MS = 60_000;
const FEW_BYTES = 64 * 1_048_576;

/** @param row what was last seen; undefined: nothing yet. */
export function pairOf(
  { module, server, pairedWith, mostKept }: Paired,
  row: PairRow | undefined,
  now: number,
): Finding {
  const say = (make: typeof error, words: string, remedy: string) => make('pair', module, words, remedy);
  const follow = `see npx banyan store show ${module}`;
  if (!row)
    return say(
      warning,
      `nobody has looked yet whether ${pairedWith} follows ${server}`,
      `Wait a moment, then ${follow}`,
    );
  const { state, lagMs, lagBytes, keptBytes, reason } = row;
  if (state === 'broken')
    return say(
      error,
      `the pair of its store is broken: ${reason ?? 'nobody knows why'}`,
      `Only a new copy mends it: npx banyan store finish ${module}, then npx banyan store move ${module} --to ${pairedWith}`,
    );
  if (now - Date.parse(row.lookedAt) > UNSEEN_MS)
    return say(
      warning,
      `nobody has looked for ${Math.round((now - Date.parse(row.lookedAt)) / 1_000)} s whether ${pairedWith} follows ${server}`,
      `A monolith has to reach both: docs/operations.md#stores-on-servers-of-their-own`,
    );
  if (reason !== null)
    return say(
      warning,
      `${pairedWith} follows ${server}, but: ${reason}`,
      `Look at ${pairedWith}; ${follow}`,
    );
  if (keptBytes !== null && mostKept !== null && keptBytes > mostKept / 2)
    return say(
      warning,
      `${server} keeps ${inMb(keptBytes)} of its log for ${pairedWith}; the pair breaks at ${inMb(mostKept)}`,
      `Bring ${pairedWith} back, or end the pair: npx banyan store finish ${module}`,
    );
  if ((lagMs ?? 0) > FAR_BEHIND_MS && (lagBytes ?? 0) > FEW_BYTES)
    return say(
      warning,
      `${pairedWith} is ${Math.round(lagMs! / 1_000)} s and ${inMb(lagBytes!)} behind ${server}`,
      `Look at ${pairedWith}, which has too little of something; ${follow}`,
    );
  return ok('pair', module, `${pairedWith} follows ${server} (${state})`);
}

/** Two servers of a pair have one version. */
export function versionsOfPair(
  { module, server, pairedWith }: Paired,
  one: ServerReading,
  other: ServerReading,
): Finding {
  const [a, b] = [one, other].map(({ versionNumber }) => Math.floor(versionNumber / 10_000));
  if (a === b) return ok('server', module, `both servers of its pair are PostgreSQL ${a}`);
  return error(
    'server',
    module,
    `${server} is PostgreSQL ${a} and ${pairedWith} is ${b}: its store can move to neither`,
    `Bring both to one version, or end the pair: npx banyan store finish ${module}`,
  );
}

/** How what belongs to pairs is called. */
export interface Expected {
  /** Subscriptions, and slots by the same names. */
  readonly links: ReadonlySet<string>;
  readonly publications: ReadonlySet<string>;
  /** Runtime roles: names of ours begin with one. */
  readonly roles: readonly string[];
  /** Runtime roles of modules whose pair is not reached from here: how its links are called is not known. */
  readonly unsure: readonly string[];
  /** Something is being done to a store, which makes and removes some. */
  readonly busy: boolean;
}

export function orphansOf(reading: ServerReading, expected: Expected): Finding[] {
  const { asked, slots, subscriptions, publications } = reading;
  const { subject } = asked;
  const isOurs = (name: string) => expected.roles.some((role) => name.startsWith(`${role}_to_`));
  const isUnsure = (name: string) => expected.unsure.some((role) => name.startsWith(`${role}_to_`));
  const ofNoPair = (name: string) => isOurs(name) && !expected.links.has(name);
  const found = [
    ...slots
      .filter(({ name }) => ofNoPair(name) || (isCopy(name) && !expected.busy))
      .map((slot) => orphanSlot(subject, slot)),
    ...slots
      .filter(({ name, active }) => !isOurs(name) && !isUnsure(name) && !isCopy(name) && !active)
      .map((slot) => foreignSlot(subject, slot)),
    ...subscriptions
      .filter(ofNoPair)
      .map((name) =>
        warning(
          'orphan',
          subject,
          `the subscription ${name} is of no pair`,
          `Run there: ALTER SUBSCRIPTION "${name}" DISABLE; ALTER SUBSCRIPTION "${name}" SET (slot_name = NONE); DROP SUBSCRIPTION "${name}"`,
        ),
      ),
    ...publications
      .filter((name) => expected.roles.includes(name) && !expected.publications.has(name))
      .map((name) =>
        warning(
          'orphan',
          subject,
          `the publication ${name} is of no pair`,
          `Run there: DROP PUBLICATION "${name}"`,
        ),
      ),
  ];
  // A move under way makes what its row does not name yet.
  if (expected.busy)
    return [
      unknown(
        'orphan',
        subject,
        'something is being done to a store',
        'Ask again when it is done: npx banyan store',
      ),
    ];
  return found.length > 0 ? found : [ok('orphan', subject, 'nothing is left of a pair that ended')];
}

/** By which a subscription copies its tables, while it does. */
const isCopy = (name: string) => /^pg_\d+_sync_\d+_\d+$/.test(name);

function orphanSlot(subject: string, { name, kept, active }: Slot): Finding {
  const drop = `SELECT pg_drop_replication_slot('${name}')`;
  return warning(
    'orphan',
    subject,
    `the slot ${name} is of no pair, and keeps ${inMb(kept)} of the log`,
    active ? `Somebody reads it; end that, then run there: ${drop}` : `Run there: ${drop}`,
  );
}

function foreignSlot(subject: string, { name, kept, state }: Slot): Finding {
  return warning(
    'orphan',
    subject,
    `the slot ${name} is not ours, nobody reads it, and it keeps ${inMb(kept)} of the log${state === 'lost' ? ' (lost)' : ''}`,
    `If nobody needs it, run there: SELECT pg_drop_replication_slot('${name}')`,
  );
}

const inMb = (bytes: number) => `${(bytes / 1_048_576).toFixed(bytes < 10_485_760 ? 1 : 0)} MB`;
