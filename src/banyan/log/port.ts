// The event backbone as the library sees it: topics of partitions of records, groups of consumers.
// Two adapters keep the same promises, and one suite (conformance.ts) holds them to it:
// - records of one key stay in one partition, in the order in which they were appended;
// - an append that answered is durable; one that threw may still have taken place (repeat it whole);
// - a group gets every record at least once, from the oldest one kept, also after any kill; within a
//   partition in order; a partition goes to one member of the group at a time as far as anyone can tell;
// - a record is never skipped, however slow or late its appender was; what cannot be read holds up its partition.
// The log knows bytes and headers, not events: what they mean is above it.

/** How long a log keeps records, unless a topic says otherwise. What remembers longer recognises every repeat. */
export const LOG_DAYS = 7;
export const LOG_MS = LOG_DAYS * 24 * 3_600_000;

export interface LogRecord {
  /** Records with one key share a partition and keep their order. Null: any partition. */
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** What is read is always bytes; null is an empty value (Kafka's tombstone). */
  readonly value: string | Buffer | null;
  /** Milliseconds since the epoch at which the log got it. Set on reading. */
  readonly timestamp?: number;
}

export interface StoredRecord extends LogRecord {
  readonly value: Buffer | null;
  readonly timestamp: number;
  readonly topic: string;
  readonly partition: number;
  /** Decimal; 64 bits. Grows within a partition, with gaps. */
  readonly offset: string;
  /** Only from `read`: this is no record but a stretch that cannot be read, beginning here. */
  readonly obstacle?: Obstacle;
}

/** A stretch of a partition that stands in the log and cannot be read. Nothing of it has come to anybody. */
export interface Obstacle {
  readonly topic: string;
  readonly partition: number;
  /** Its first offset, decimal, and its last one as far as the log tells. */
  readonly offset: string;
  readonly last: string;
  /** What is wrong with it, as the end of a sentence, and what a person can do. */
  readonly reason: string;
  readonly remedy: string;
}

/** Records of one partition, in order. */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly StoredRecord[];
  /** Aborted when the partition was taken away or the subscription ends: finish what is in hand, start nothing. */
  readonly signal: AbortSignal;
}

export interface SubscribeOptions {
  readonly group: string;
  readonly topics: readonly string[];
  /**
   * Resolves when every record of the batch is safe; their offsets are committed some time later, so they may
   * come again after a kill. A rejection gives the batch again after a pause. Batches of one partition come
   * one after another, those of different partitions side by side.
   */
  readonly onBatch: (batch: Batch) => Promise<void>;
  /**
   * A partition came to something that cannot be read, or still stands before it: asked at once and then every few
   * seconds. `wait`: the partition stays there and the others go on. `pass`: it goes on behind it.
   */
  readonly onObstacle?: (obstacle: Obstacle) => Promise<'wait' | 'pass'>;
  /** The partition goes on: what stood there can be read now, was removed, or passed. */
  readonly onClear?: (obstacle: Obstacle) => Promise<void>;
  /** The log does not let this host go on reading; it keeps trying. Said again for as long as that is so. */
  readonly onRefused?: (error: LogRefused) => void;
  /** Tests: called before and after offsets are committed. */
  readonly onCommit?: (moment: 'before' | 'after') => Promise<void> | void;
}

export interface Subscription {
  /** Finishes the batches in hand, commits their offsets and gives the partitions back. */
  close(): Promise<void>;
}

export interface Lag {
  readonly topic: string;
  readonly partition: number;
  /** Records that the group has not committed. */
  readonly events: number;
  /** Age of the oldest of them in seconds; 0 when there is none, null when the log cannot tell. */
  readonly seconds: number | null;
  /** The offset that the group takes next: every record below it is safe with it. Decimal. */
  readonly next: string;
}

/** The offset to read next (decimal), by partition. */
export type Positions = Readonly<Record<number, string>>;

export interface ReadOptions {
  /** From this time on (the log's clock); undefined: from the oldest record kept. */
  readonly from?: Date;
  /** Where to go on in the partitions of which an earlier reading saw something; `from` is for the others. */
  readonly positions?: Positions;
  /** Up to this time; undefined: what is there when reading begins. */
  readonly until?: Date;
  /** Goes on with what arrives later, until the signal. `from` undefined then means: from now on. */
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

/** A topic as it stands in the log. What a log has not got, or does not tell, is left out. */
export interface TopicState {
  readonly topic: string;
  readonly partitions: number;
  /** How long it keeps records, in milliseconds; null: for ever. */
  readonly retentionMs?: number | null;
  /** Beyond so many bytes of a partition it keeps none, whatever their age; null: any number. */
  readonly retentionBytes?: number | null;
  /** Seconds since the oldest record that is kept was appended; null: it has none. */
  readonly oldestSeconds?: number | null;
  /** How many brokers have each partition, and how many must before a record counts as written. */
  readonly replicas?: number;
  readonly minInSync?: number;
  /** Partitions that fewer brokers have at the moment than should. */
  readonly behind?: number;
  /** Partitions without a leader: nobody can read or write them. */
  readonly offline?: number;
  /** `delete`, `compact` or both. */
  readonly cleanup?: readonly string[];
  /** The largest batch that it takes. */
  readonly maxBytes?: number;
  /** A broker that lacks records may lead, and those are lost. */
  readonly uncleanLeaders?: boolean;
}

export interface LogState {
  /** How many brokers there are; absent: it has none. */
  readonly brokers?: number;
  /** As this host would make a topic. */
  readonly wanted: { readonly partitions: number; readonly retentionMs: number; readonly maxBytes?: number };
  /** Those that there are of the ones that were asked for. */
  readonly topics: readonly TopicState[];
}

export interface EventLog {
  readonly kind: 'postgres' | 'kafka';
  /** Who appends all the time does it at most so often, in milliseconds: larger appends cost this log less. */
  readonly appendEveryMs: number;
  /**
   * Where the log knows principals: lets those of the modules do what is said here, and no more. Repeatable; done by
   * monoliths alone. A log that has no such thing has not got it.
   */
  allow?(uses: readonly LogUse[]): Promise<void>;
  /** Creates the topics that are missing. Safe for several hosts at once. */
  ensureTopics(topics: readonly string[]): Promise<void>;
  /** Records of one partition are kept in the order given. Few requests: one, up to about 900 kB. */
  append(topic: string, records: readonly LogRecord[]): Promise<void>;
  subscribe(options: SubscribeOptions): Promise<Subscription>;
  lag(group: string, topics: readonly string[]): Promise<Lag[]>;
  /** How these topics stand, for whoever looks whether they are as they should be; a client that may do all is asked. */
  inspect(topics: readonly string[]): Promise<LogState>;
  /** For people and checkers (tail, replay, verify); joins no group. Throws for a topic that does not exist. */
  read(topic: string, options?: ReadOptions): AsyncIterable<StoredRecord>;
  close(): Promise<void>;
}

/** For a person: the place, what is wrong, what to do. */
export function describeObstacle({ topic, partition, offset, last, reason, remedy }: Obstacle): string {
  const stretch = last === offset ? `offset ${offset}` : `offsets ${offset} to ${last}`;
  return `${topic}, partition ${partition}, ${stretch} cannot be read: ${reason}. Remedy: ${remedy}.`;
}

/** The year 9999: what is later, or before 1970, is no time that a Date or PostgreSQL could show. */
const LATEST_MS = 253_402_300_799_999;

/** Of a record: whoever wrote it may have said anything. */
export function saneTime(ms: number): number {
  return ms >= 0 ? Math.min(ms, LATEST_MS) : 0;
}

/** The topic does not exist: `read` and `append` of a name that nobody created. */
export class UnknownTopic extends Error {
  readonly topic: string;
  constructor(topic: string) {
    super(`The log has no topic "${topic}"`);
    this.name = 'UnknownTopic';
    this.topic = topic;
  }
}

/** What one module does with the log: everything that its own principal has to be let do. */
export interface LogUse {
  readonly module: string;
  /** Its own topic; undefined for a module that publishes nothing. */
  readonly topic: string | undefined;
  /** What its listeners read. */
  readonly reads: readonly string[];
}

/**
 * The log answers, and does not let this host do it: whoever it is there has no right to, or is not believed. It may be
 * let later, so it is tried again; `wrong` and `remedy` are for a person, without their full stop.
 */
export class LogRefused extends Error {
  readonly wrong: string;
  readonly remedy: string;
  constructor(wrong: string, remedy: string, cause: unknown) {
    super(`${wrong}. Remedy: ${remedy}.`, { cause });
    this.wrong = wrong;
    this.name = 'LogRefused';
    this.remedy = remedy;
  }
}

/** Minimal logging that adapters need; pino's Logger fits. */
export interface LogLogger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}
