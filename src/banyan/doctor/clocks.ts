// Clocks against the one of the control store, by which leases and heartbeats are counted. Tokens between hosts are refused where two
// clocks are more than 90 s apart, so what comes near to that is said before it happens.
import { CLOCKS_MS } from '../identity/hop.ts';
import { error, type Finding, ok, warning } from './finding.ts';

/** A clock that somebody read over the network. */
export interface ClockSeen {
  /** Of the clock here, in milliseconds. */
  readonly aheadMs: number;
  /** It may be wrong by so much: half of the way there and back, and what it is rounded to. */
  readonly doubtMs: number;
}

/** NTP keeps clocks within milliseconds; this is nobody's jitter. */
const APART_MS = 5_000;
const TOO_FAR_MS = (CLOCKS_MS * 2) / 3;

const NTP = 'Run NTP there and here: docs/operations.md#a-service-is-held-out';

/** @param ask answers milliseconds since the epoch, by the other clock. */
export async function readClock(ask: () => Promise<number>, roundedMs = 0): Promise<ClockSeen> {
  const [sent, began] = [Date.now(), performance.now()];
  const theirs = await ask();
  const way = performance.now() - began;
  return { aheadMs: theirs + roundedMs / 2 - (sent + way / 2), doubtMs: (way + roundedMs) / 2 };
}

/** How far it is ahead of the clock that `than` is of; both were read from here. */
export function aheadOf(one: ClockSeen, than: ClockSeen): ClockSeen {
  return { aheadMs: one.aheadMs - than.aheadMs, doubtMs: one.doubtMs + than.doubtMs };
}

/** @param clock against that of the control store. */
export function clockOf(subject: string, { aheadMs, doubtMs }: ClockSeen): Finding {
  const apart = Math.max(0, Math.abs(aheadMs) - doubtMs);
  if (apart < APART_MS) return ok('clock', subject, 'agrees with that of the control store');
  const words = `its clock is ${Math.round(Math.abs(aheadMs) / 1_000)} s ${aheadMs > 0 ? 'ahead of' : 'behind'} that of the control store`;
  return apart < TOO_FAR_MS
    ? warning('clock', subject, words, NTP)
    : error('clock', subject, `${words}; hosts refuse each other from ${CLOCKS_MS / 1_000} s on`, NTP);
}
