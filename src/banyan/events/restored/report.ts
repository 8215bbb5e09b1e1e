// What was found when the log was held against stores that may lack commits, and the same in words for who runs the product.

export interface LogPosition {
  readonly id: string;
  readonly key: string;
  readonly sequence: number;
  readonly partition: number;
  /** Decimal. */
  readonly offset: string;
  /** When the log got it. */
  readonly at: Date;
}

/** Of one topic. */
export interface TopicReport {
  readonly module: string;
  /** Events of the log whose transactions are not in the module's store, and the first of them. */
  readonly ahead: number;
  readonly first: LogPosition | undefined;
  readonly consumers: readonly ConsumerReport[];
  /** Stretches of the log that could not be read, in words. */
  readonly unreadable: readonly string[];
}

export interface ConsumerReport {
  readonly module: string;
  /** Of those: they will have no effect; and those that had one already, which nobody takes back. */
  readonly dropped: number;
  readonly tookEffect: number;
  /** Events that are in the module's store, and that this inbox had not taken: it handles them now. */
  readonly again: number;
}

/** A line for each thing that happened; none where the log and the stores agree. */
export function inWords({ module, ahead, first, consumers, unreadable }: TopicReport): string[] {
  const list = (of: (one: ConsumerReport) => number) =>
    consumers
      .filter((one) => of(one) > 0)
      .map((one) => `${one.module} (${of(one)})`)
      .join(', ');
  const dropped = list((one) => one.dropped);
  const effects = list((one) => one.tookEffect);
  const again = list((one) => one.again);
  return [
    ...(first === undefined
      ? []
      : [
          `The log is ahead of ${module} by ${counted(ahead)} from ${module}.events, partition ${first.partition}, offset ` +
            `${first.offset} on (${first.at.toISOString()}): their transactions are not in its store. Numbers of keys go ` +
            'on behind them; the audit of the events has each',
        ]),
    ...(dropped === '' ? [] : [`Of those, dropped before they took effect: at ${dropped}`]),
    ...(effects === ''
      ? []
      : [
          `Of those, took effect already: at ${effects}. Nobody takes that back by itself: banyan events show ID has each, ` +
            'and docs/operations.md says what to compare',
        ]),
    ...(again === '' ? [] : [`Events of ${module} that inboxes had not taken are handled now: at ${again}`]),
    ...unreadable,
  ];
}

function counted(n: number): string {
  return n === 1 ? '1 event' : `${n} events`;
}
