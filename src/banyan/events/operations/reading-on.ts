// How far a reading of the log got, so that another request, perhaps at another host, goes on there.
import type { Positions, StoredRecord } from '../../log/port.ts';

export type Reached = Record<number, string>;

export function reached(positions: Positions = {}): Reached {
  return { ...positions };
}

/** The reading goes on after this record. */
export function pass(positions: Reached, { partition, offset, obstacle }: StoredRecord): void {
  positions[partition] = String(BigInt(obstacle?.last ?? offset) + 1n);
}
