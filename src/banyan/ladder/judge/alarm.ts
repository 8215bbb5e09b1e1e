// What cannot wait for a test: a far side that suddenly fails. Looked at after every second are the last two to five; the
// far side alone must fail, and by more than chance could make it: half of a few requests are enough, one or two never
// are. Where the near side fails in the same seconds nothing is said.
import { type Account, isOutage, type Pair, sumOf } from './account.ts';
import type { Side } from './bursts.ts';
import { type Counts, inWords } from './evidence.ts';
import { MARGIN } from './sequential.ts';

/** So many of the last seconds, and the share of them that has to fail. Shorter than that is a burst. */
const WINDOWS = [
  { seconds: 2, share: 2 / 3 },
  { seconds: 3, share: 1 / 3 },
  { seconds: 4, share: 1 / 3 },
  { seconds: 5, share: 1 / 3 },
];
/** Fewer than this never are an alarm. */
const LEAST_BAD = 3;
/** Nor are those of a single second; of two, while a rung is too young to have shown its bursts. */
const LEAST_SECONDS = 2;
const LEAST_SECONDS_YOUNG = 3;
const KNOWN_SECONDS = 120;

/** Odds of e^12 (160,000) to 1 on a rung, which takes an hour at most; of e^16 where the watch has no end. */
const RUNG = 12;
const WATCH = 16;

export interface Alarm extends Pair<Counts> {
  /** In words. */
  readonly why: string;
}

/** What fails and by how much; undefined while nothing does. `known`: the near side before these seconds. */
export function alarmOf({ recent, seconds: seen }: Account, known: Side, forever = false): Alarm | undefined {
  const least = !forever && seen < KNOWN_SECONDS ? LEAST_SECONDS_YOUNG : LEAST_SECONDS;
  for (const { seconds, share } of WINDOWS) {
    if (recent.length < seconds) break;
    const window = recent.slice(-seconds);
    if (isOutage(recent.slice(-Math.max(seconds, 3)))) return undefined;
    const far = sumOf(window, (second) => second.far);
    if (far.bad < LEAST_BAD || far.bad < share * far.n) continue;
    if (window.filter((second) => second.far.bad > 0).length < least) continue;
    const near = sumOf(window, (second) => second.near);
    const expected = Math.max(rateOf(known), near.n === 0 ? 0 : near.bad / near.n) + MARGIN.errors;
    const { second, block } = known.together;
    const others = window.reduce((all, { far: { n } }) => all + n * n, 0) / far.n - 1;
    const phi = 1 + Math.max(second, block) * Math.max(0, others);
    if (surprise(far, expected) / phi < (forever ? WATCH : RUNG)) continue;
    return {
      near,
      far,
      why: `errors: ${inWords(far)} within ${seconds} s, on the near side ${inWords(near)}`,
    };
  }
  return undefined;
}

/** Of a near side that nobody has seen it is taken that it fails no more than this. */
const UNSEEN = 0.05;
const rateOf = ({ n, bad }: Counts): number => (n === 0 ? UNSEEN : (bad + 0.5) / (n + 1));

/** The logarithm of how unlikely so many bad ones are (Chernoff's bound). */
function surprise({ n, bad }: Counts, expected: number): number {
  const rate = bad / n;
  if (rate <= expected) return 0;
  return (
    bad * Math.log(rate / expected) + (n === bad ? 0 : (n - bad) * Math.log((1 - rate) / (1 - expected)))
  );
}
