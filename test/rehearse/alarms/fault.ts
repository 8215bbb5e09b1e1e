// One fault: which part of the product it takes away, how, and which alarms must name what. What it strikes it mends.
import type { Prometheus } from './prometheus.ts';
import type { AlarmShop, Need } from './stage.ts';

export interface Expected {
  readonly alarm: string;
  /** As many as tell it from the same alarm about something else. */
  readonly labels: Readonly<Record<string, string>>;
  /** The exit code of the runbook's first command meanwhile, where that is not 0: it says what does not answer. */
  readonly exit?: number;
}

/** Puts right what was struck; an alarm ends by it, or by itself where nothing is to be put right. */
export type Mend = () => Promise<void>;

export interface Fault {
  readonly name: string;
  /** What is away, for people. */
  readonly part: string;
  /** How it was taken away. */
  readonly struck: string;
  readonly alarms: readonly Expected[];
  readonly needs?: readonly Need[];
  /** Beside no other: it takes away what others need. */
  readonly alone?: boolean;
  /** What it takes beyond the times of its rules until it can be seen, such as a threshold of a minute. */
  readonly slowMs?: number;
  /** Times are divided by no more, or it cannot be seen. */
  readonly mostScale?: number;
  strike(shop: AlarmShop, prometheus: Prometheus): Promise<Mend>;
}

export const nothingToMend: Mend = async () => {};

/** Again and again until it is mended; failures are the fault's own. */
export function again(everyMs: number, work: () => Promise<unknown>): Mend {
  const timer = setInterval(() => void work().catch(() => {}), everyMs);
  void work().catch(() => {});
  return async () => clearInterval(timer);
}
