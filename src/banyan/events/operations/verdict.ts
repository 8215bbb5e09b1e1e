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

export interface TopicVerdict extends Faults {
  readonly topic: string;
  /** Sent in the span, by the ledger. */
  readonly sent: number;
  /** In the outbox: in flight. */
  readonly waiting: number;
  /** Events in the log. */
  readonly logged: number;
  readonly repeated: number;
  /** In the log, though the owner never published them. */
  readonly foreign: number;
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
