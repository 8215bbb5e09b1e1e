// Numbers as people read them: three digits that mean something, a unit, and n/a for what was not measured. The
// terminal and the page write the same number the same way. It knows nothing of where it is shown.
import type { Interval } from '../../format/report.ts';

export const NOT_AVAILABLE = 'n/a';

/** Three significant digits, thousands separated; never an exponent. */
export function digits(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return Math.round(value).toLocaleString('en-US');
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.9995) return value.toFixed(2);
  if (size >= 0.0001) return value.toFixed(2 - Math.floor(Math.log10(size)));
  return size === 0 ? '0' : value.toFixed(6);
}

type Maybe = number | null | undefined;

const shown = (value: Maybe, write: (value: number) => string) =>
  value === null || value === undefined ? NOT_AVAILABLE : write(value);

/** A round value beside a chart: no zeros that say nothing. */
export const tick = (value: number): string =>
  Number(value.toPrecision(3)).toLocaleString('en-US', { maximumSignificantDigits: 3 });
export const plain = (value: Maybe): string => shown(value, digits);
export const count = (value: Maybe): string => shown(value, (one) => one.toLocaleString('en-US'));
export const ms = (value: Maybe): string => shown(value, (one) => `${digits(one)} ms`);
export const perSecond = (value: Maybe): string => shown(value, (one) => `${digits(one)}/s`);
export const seconds = (value: Maybe): string => shown(value, (one) => `${digits(one)} s`);
export const times = (value: Maybe): string => shown(value, (one) => `${digits(one)}x`);

/** 0 and 1 are said only of what is exactly that: one request in a thousand is 0.1 %, all but one 99.9 %. */
export const percent = (value: Maybe): string =>
  shown(value, (share) => {
    const hundred = share * 100;
    if (share === 0 || share === 1) return `${hundred} %`;
    if (hundred >= 99.95) return '> 99.9 %';
    if (hundred < 0.05) return '< 0.1 %';
    return `${hundred < 10 || hundred > 99 ? hundred.toFixed(1) : Math.round(hundred)} %`;
  });

/** With its sign: how far a prediction was off. */
export const off = (error: number): string =>
  `${error >= 0 ? '+' : '-'}${(Math.abs(error) * 100).toFixed(0)} %`;

const STEPS = ['bytes', 'kB', 'MB', 'GB', 'TB'];

export const bytes = (value: Maybe): string =>
  shown(value, (size) => {
    let step = 0;
    let left = size;
    while (left >= 1000 && step < STEPS.length - 1) {
      left /= 1000;
      step += 1;
    }
    return `${digits(left)} ${STEPS[step]}`;
  });

/** A figure in its own unit, as the report names it. */
export function inUnit(value: Maybe, unit: string): string {
  if (value === null || value === undefined) return NOT_AVAILABLE;
  if (unit === 'bytes') return bytes(value);
  if (unit === 'share') return percent(value);
  if (unit === '' || unit === 'count') return digits(value);
  return unit.startsWith('/') ? `${digits(value)}${unit}` : `${digits(value)} ${unit}`;
}

/** `1.59x`, and in words between what the truth is, as far as it can be told. */
export const ratio = (interval: Interval | null): string => times(interval?.median);

export function range(interval: Interval | null, write: (value: number) => string = digits): string {
  if (!interval) return NOT_AVAILABLE;
  const { low, high } = interval;
  return low === null || high === null ? 'too few pairs' : `${write(low)} to ${write(high)}`;
}
