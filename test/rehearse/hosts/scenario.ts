// What is done to the hosts of a shop, and what customers may feel of it. It must not know how customers are counted.
import type { HostsShop } from './stage.ts';

export interface Stand {
  readonly shop: HostsShop;
  readonly signal: AbortSignal;
  /** The fault is there from now on; it is gone from now on. Without either the whole scenario counts. */
  struck(): void;
  mended(): void;
  /** Lets customers go on for so long. */
  watch(ms: number): Promise<void>;
  /** What is not as it was promised, in a sentence. */
  wrong(sentence: string): void;
  say(line: string): void;
}

export interface Scenario {
  readonly name: string;
  /** What is struck, in a line. */
  readonly about: string;
  /** A machine whose clock is off. */
  readonly needsClock?: boolean;
  /** No request may fail, from its beginning to its end. */
  readonly unnoticed?: boolean;
  /** Where somebody else can answer, customers are served again after so many seconds, while the fault lasts. */
  readonly servedAfterS?: number;
  /** Customers are served again so many seconds after the fault is gone. */
  readonly recoversS: number;
  play(stand: Stand): Promise<void>;
}
