// The partitions of one member that stand before something that cannot be read. Such a partition is paused and all
// others go on; every few seconds it is tried again, and it goes on when the batch can be read, when it was removed
// (retention, kafka-delete-records), or when somebody decided to pass it over. Said in the log once per place.
// Where it stands is not remembered here: offsets are committed up to it, so the next member stands there too.
import type { Consumer } from 'kafkajs';
import { describeObstacle, type LogLogger, type Obstacle, type SubscribeOptions } from '../port.ts';

export interface ParkingOptions extends Pick<SubscribeOptions, 'onObstacle' | 'onClear'> {
  readonly group: string;
  readonly log: LogLogger;
  /** The oldest offsets that a topic still has, by partition. */
  readonly lowest: (topic: string) => Promise<ReadonlyMap<number, bigint>>;
  /** Offsets up to here are done with, as if they had been handled. */
  readonly onPass: (topic: string, partition: number, next: string) => void;
}

interface Parked {
  readonly obstacle: Obstacle;
  /** The fetches when it was tried again. */
  readonly tried?: ReadonlyMap<number, number>;
}

/** The first may have begun before, the second asks for the partition, the third comes after its batches. */
const ENOUGH_FETCHES = 3;

export class Parking {
  readonly #options: ParkingOptions;
  readonly #parked = new Map<string, Parked>();
  /** Fetches answered, by broker. */
  readonly #fetches = new Map<number, number>();
  #looking = false;

  constructor(options: ParkingOptions) {
    this.#options = options;
  }

  /** The partition came to it: it stands there now, unless somebody has decided to pass it over. */
  async meet(consumer: Consumer, obstacle: Obstacle): Promise<void> {
    const { log, group } = this.#options;
    const key = keyOf(obstacle);
    const known = this.#parked.get(key)?.obstacle;
    pause(consumer, obstacle);
    this.#parked.set(key, { obstacle });
    if (known?.offset !== obstacle.offset || known.reason !== obstacle.reason) {
      if (known) await this.#tell(known);
      log.error({ group, ...obstacle }, `a partition is parked: ${describeObstacle(obstacle)}`);
    }
    if ((await this.#ask(obstacle)) === 'pass') await this.#pass(consumer, obstacle);
  }

  /** A record of the partition came: if it was parked, it goes on. */
  async moved(topic: string, partition: number): Promise<void> {
    if (this.#parked.size === 0) return;
    const parked = this.#parked.get(keyOf({ topic, partition }));
    if (parked) await this.#clear(parked.obstacle, 'it can be read now');
  }

  /** A broker has answered a fetch. */
  fetched(node: number): void {
    this.#fetches.set(node, (this.#fetches.get(node) ?? 0) + 1);
  }

  /** Forgets partitions that another member has now: that one comes to the obstacle itself. */
  keep(consumer: Consumer | undefined, isMine: (topic: string, partition: number) => boolean): void {
    for (const [key, { obstacle }] of this.#parked) {
      if (isMine(obstacle.topic, obstacle.partition)) continue;
      this.#parked.delete(key);
      // kafkajs would still hold it when it comes back.
      if (consumer) resume(consumer, obstacle);
    }
  }

  /** Tries again what stands. One look at a time. */
  async look(consumer: Consumer): Promise<void> {
    if (this.#parked.size === 0 || this.#looking) return;
    this.#looking = true;
    try {
      for (const parked of [...this.#parked.values()]) await this.#again(consumer, parked);
    } catch (error) {
      this.#options.log.debug(
        { err: error, group: this.#options.group },
        'what is parked was not tried again',
      );
    } finally {
      this.#looking = false;
    }
  }

  async #again(consumer: Consumer, { obstacle, tried }: Parked): Promise<void> {
    const { topic, partition, last } = obstacle;
    if ((await this.#ask(obstacle)) === 'pass') return this.#pass(consumer, obstacle);
    const low = (await this.#options.lowest(topic)).get(partition);
    // It may have been met once more meanwhile, or be another member's.
    if (this.#parked.get(keyOf(obstacle))?.obstacle !== obstacle) return;
    if (low !== undefined && low > BigInt(last)) await this.#clear(obstacle, 'the log has removed it');
    else if (tried && this.#fetchedSince(tried)) await this.#clear(obstacle, 'nothing stands there any more');
    else if (!tried) this.#parked.set(keyOf(obstacle), { obstacle, tried: new Map(this.#fetches) });
    resume(consumer, obstacle);
  }

  #fetchedSince(tried: ReadonlyMap<number, number>): boolean {
    return [...this.#fetches].every(([node, n]) => n >= (tried.get(node) ?? 0) + ENOUGH_FETCHES);
  }

  async #pass(consumer: Consumer, obstacle: Obstacle): Promise<void> {
    const { topic, partition, last } = obstacle;
    const offset = String(BigInt(last) + 1n);
    this.#options.onPass(topic, partition, offset);
    consumer.seek({ topic, partition, offset });
    resume(consumer, obstacle);
    await this.#clear(obstacle, 'it is passed over, as an operator decided');
  }

  async #clear(obstacle: Obstacle, why: string): Promise<void> {
    const { log, group } = this.#options;
    this.#parked.delete(keyOf(obstacle));
    const { topic, partition, offset } = obstacle;
    log.warn({ group, topic, partition, offset }, `a parked partition goes on: ${why}`);
    await this.#tell(obstacle);
  }

  async #tell(obstacle: Obstacle): Promise<void> {
    const { onClear, log, group } = this.#options;
    await onClear?.(obstacle).catch((error: unknown) =>
      log.debug({ err: error, group }, 'that a partition goes on was not written down'),
    );
  }

  /** If the store cannot be asked, nobody has decided yet. */
  async #ask(obstacle: Obstacle): Promise<'wait' | 'pass'> {
    const { onObstacle, log, group } = this.#options;
    if (!onObstacle) return 'wait';
    return onObstacle(obstacle).catch((error: unknown) => {
      log.warn({ err: error, group, ...obstacle }, 'that a partition is parked was not written down');
      return 'wait' as const;
    });
  }
}

function pause(consumer: Consumer, { topic, partition }: Obstacle): void {
  consumer.pause([{ topic, partitions: [partition] }]);
}

function resume(consumer: Consumer, { topic, partition }: Obstacle): void {
  consumer.resume([{ topic, partitions: [partition] }]);
}

function keyOf({ topic, partition }: Pick<Obstacle, 'topic' | 'partition'>): string {
  return `${topic}/${partition}`;
}
