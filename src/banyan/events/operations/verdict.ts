// What verification says of a topic, of each of its consumers, and a few examples of what it found.
import type { Obstacle } from '../../log/port.ts';

export interface Faults {
  readonly lost: number;
  readonly doubled: number;
  readonly inverted: number;
}

export interface ConsumerVerdict extends Faults {
  readonly module: string;
  /** Events of the log that it listens to. */
  readonly expected: number;
  readonly done: number;
  /** Failed or queued, and tried again without anybody's help; or of a version to come. */
  readonly open: number;
  readonly dead: number;
  readonly dropped: number;
  readonly inFlight: number;
}

export interface LogPlace {
  readonly partition: number;
  /** Decimal. */
  readonly offset: string;
  /** When the log got it, RFC 3339. */
  readonly at: string;
}

export interface TopicVerdict extends Faults {
  readonly topic: string;
  /** Sent in the span, by the ledger. */
  readonly sent: number;
  /** In the outbox: in flight. */
  readonly waiting: number;
  /** Events in the log. */
  readonly logged: number;
  readonly repeated: number;
  /** In the log, though the owner never published them, as far as its store knows. */
  readonly foreign: number;
  /** Of those, with a number of their key that the owner never drew: its store lacks commits, or somebody wrote past it. */
  readonly ahead: number;
  /** The first of them in the log. */
  readonly aheadFrom: LogPlace | null;
  readonly consumers: readonly ConsumerVerdict[];
}

export interface Example {
  readonly fault: 'lost' | 'doubled' | 'inverted' | 'foreign';
  /** `log`, or the consumer. */
  readonly where: string;
  readonly topic: string;
  readonly id: string;
  readonly key: string;
  readonly sequence: number | null;
}

export interface Verified {
  /** Parts of the log that could not be read. */
  readonly unreadable: readonly Obstacle[];
  readonly topics: readonly TopicVerdict[];
  readonly examples: readonly Example[];
}
