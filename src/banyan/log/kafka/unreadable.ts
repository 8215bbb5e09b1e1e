// What is wrong with a batch that stands in the log and cannot be read, and what a person can do about it. It stands
// in the place of the batch's records in what kafkajs gives, so that whoever reads the partition decides what to do
// and all other partitions go on: an error in its place would end the fetching of all of them.

/** `library`: it can be read elsewhere. `bomb`: on purpose not read. `broker`: the broker does not give it. */
export type Obstruction = 'corrupt' | 'codec' | 'library' | 'bomb' | 'broker';

export class Unreadable extends Error {
  readonly kind: Obstruction;
  constructor(reason: string, kind: Obstruction, cause?: unknown) {
    super(reason, { cause });
    this.name = 'Unreadable';
    this.kind = kind;
  }
}

/** As long as Kafka's offsets go: stands for an offset that cannot be told. */
export const UNKNOWN_OFFSET = '9223372036854775807';

/** In the place of a message. What kafkajs looks at on its way has values that let it through. */
export interface Obstructed {
  readonly obstructed: Unreadable;
  /** The batch's first offset; undefined when the broker gave nothing. */
  readonly first: string | undefined;
  /** The last one: kafkajs passes over messages before the offset that it asked for. */
  offset: string;
  readonly timestamp: string;
  readonly key: null;
  readonly value: null;
  readonly headers: Readonly<Record<string, never>>;
  readonly isControlRecord: false;
  readonly batchContext: { readonly producerId: string; readonly inTransaction: false };
}

export function obstructed(
  why: Unreadable,
  { first, last, timestamp }: { first?: string; last: string; timestamp?: string },
): Obstructed {
  return {
    obstructed: why,
    first,
    offset: last,
    timestamp: timestamp ?? String(Date.now()),
    key: null,
    value: null,
    headers: {},
    isControlRecord: false,
    batchContext: { producerId: '-1', inTransaction: false },
  };
}

export function isObstructed(message: object): message is Obstructed {
  return (message as Partial<Obstructed>).obstructed !== undefined;
}

const remedies: Readonly<Record<Obstruction, string>> = {
  corrupt: 'bring back the broker’s data from a replica or a backup',
  codec: 'let its producer write gzip, snappy, lz4, zstd or nothing',
  library: 'run npm ci on this machine, or the consumer on another one',
  bomb: 'find out who wrote it',
  broker: 'look at the broker’s log and disk',
};

/** For a log line and a picture: how the partition goes on, and the command that gives the stretch up. */
export function remedyOf(kind: Obstruction, topic: string, partition: number, offset: string): string {
  return (
    `${remedies[kind]}; it goes on by itself when that is done, or when retention has removed it. To give it up: ` +
    `npx banyan events skip ${topic} ${partition} ${offset} --why "…"`
  );
}
