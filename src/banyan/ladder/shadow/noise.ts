// What of a difference is noise, learned of the near side run twice for the same request: ids and times differ nearly
// always and are masked, place by place; what differs now and then (a state that moved between two reads) is not masked,
// or the judge would be blind for it: it is counted on both sides, and compared as a rate.
// Only another value is ever masked. A field that is missing, or of another type, is none of an id's doings.
// Plain data, an operation each; nothing of it is a customer's.
import type { Pair } from '../judge/account.ts';
import type { Counts } from '../judge/evidence.ts';
import type { Compared, Difference } from './comparison.ts';

export interface Noise {
  /** Requests that the near side did twice. */
  readonly pairs: number;
  /** By place: in how many of them both had a value there, and in how many it differed. */
  readonly places: Readonly<Record<string, { readonly seen: number; readonly differed: number }>>;
}

export interface OperationRecord extends Pair<Counts> {
  readonly noise: Noise;
  /** How often each difference came that was none of the noise, in words. */
  readonly whys: Readonly<Record<string, number>>;
}

/** So many pairs make a mask, and in so many of them the place has to differ. */
export const LEAST_PAIRS = 30;
const NEARLY_ALWAYS = 0.9;
const MOST_PLACES = 500;
const MOST_WHYS = 20;

export const noRecord: OperationRecord = {
  near: { n: 0, bad: 0 },
  far: { n: 0, bad: 0 },
  noise: { pairs: 0, places: {} },
  whys: {},
};

/** What is compared how: `ignore` are the places that the contract leaves out, `least` the pairs that make a mask. */
export interface Terms {
  readonly ignore?: readonly string[];
  readonly least?: number;
}

/** Until then nothing of it is compared, and every shadow should come with a pair. */
export function isLearned({ noise }: OperationRecord, { least = LEAST_PAIRS }: Terms = {}): boolean {
  return noise.pairs >= least;
}

/** The near side did a request twice. */
export function withPair(record: OperationRecord, pair: Compared, terms: Terms = {}): OperationRecord {
  const noise = learned(record.noise, pair);
  if (!isLearned(record, terms)) return { ...record, noise };
  const differs = remaining(record, pair.differences, terms).length > 0;
  return { ...record, noise, near: plusOne(record.near, differs) };
}

/** A shadow was compared. `differences` are those that count; empty while its noise is being learned. */
export function withShadow(
  record: OperationRecord,
  shadow: Compared,
  terms: Terms = {},
): { readonly record: OperationRecord; readonly differences: readonly Difference[] } {
  if (!isLearned(record, terms)) return { record, differences: [] };
  const differences = remaining(record, shadow.differences, terms);
  const whys = { ...record.whys };
  for (const { why } of differences)
    if (why in whys || Object.keys(whys).length < MOST_WHYS) whys[why] = (whys[why] ?? 0) + 1;
  const far = plusOne(record.far, differences.length > 0);
  return { record: { ...record, far, whys }, differences };
}

/** What two hosts have of the same operation, as one. */
export function merged(one: OperationRecord, other: OperationRecord): OperationRecord {
  const places = { ...one.noise.places };
  for (const [place, { seen, differed }] of Object.entries(other.noise.places)) {
    const before = Object.hasOwn(places, place) ? places[place]! : { seen: 0, differed: 0 };
    places[place] = { seen: before.seen + seen, differed: before.differed + differed };
  }
  const whys = { ...one.whys };
  for (const [why, times] of Object.entries(other.whys)) whys[why] = (whys[why] ?? 0) + times;
  const both = (a: Counts, b: Counts) => ({ n: a.n + b.n, bad: a.bad + b.bad });
  return {
    near: both(one.near, other.near),
    far: both(one.far, other.far),
    noise: { pairs: one.noise.pairs + other.noise.pairs, places },
    whys,
  };
}

/** The difference that came most often. */
export function mostOften({ whys }: OperationRecord): string {
  const [first] = Object.entries(whys).sort(([, a], [, b]) => b - a);
  return first?.[0] ?? '';
}

/** The places of which another value says nothing. */
export function maskedPlaces({ noise }: OperationRecord, { least = LEAST_PAIRS }: Terms = {}): string[] {
  return Object.keys(noise.places).filter((place) => isMasked(noise, place, least));
}

function remaining({ noise }: OperationRecord, all: readonly Difference[], terms: Terms): Difference[] {
  const { ignore = [], least = LEAST_PAIRS } = terms;
  return all.filter((one) => {
    if (one.kind === 'value' && isMasked(noise, one.path, least)) return false;
    return !ignore.some((place) => isUnder(one.path, place));
  });
}

function isMasked({ places }: Noise, place: string, least: number): boolean {
  const found = Object.hasOwn(places, place) ? places[place] : undefined;
  return found !== undefined && found.seen >= least && found.differed >= NEARLY_ALWAYS * found.seen;
}

/** At the place or below it; `*` stands for one step. */
function isUnder(path: string, place: string): boolean {
  const [steps, wanted] = [path.split('/'), place.split('/')];
  return wanted.every((step, at) => at < steps.length && (step === '*' || step === steps[at]));
}

function learned({ pairs, places }: Noise, { differences, places: seen }: Compared): Noise {
  const differed = new Set(differences.filter(({ kind }) => kind === 'value').map(({ path }) => path));
  const next = { ...places };
  for (const place of seen) {
    const before = Object.hasOwn(next, place) ? next[place] : undefined;
    if (before === undefined && Object.keys(next).length >= MOST_PLACES) continue;
    next[place] = {
      seen: (before?.seen ?? 0) + 1,
      differed: (before?.differed ?? 0) + (differed.has(place) ? 1 : 0),
    };
  }
  return { pairs: pairs + 1, places: next };
}

const plusOne = ({ n, bad }: Counts, isBad: boolean): Counts => ({ n: n + 1, bad: bad + (isBad ? 1 : 0) });
