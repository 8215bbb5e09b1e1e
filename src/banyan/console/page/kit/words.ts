// What numbers of the picture are called: the same words in the drawing, in the table, and in `banyan status`. Pure.
import type { Numbers, Picture, PictureModule } from '../../shared/picture-shape.ts';

/** `12`, `0.4`: calls a second. */
export function rate(perSecond: number): string {
  return perSecond >= 10 ? String(Math.round(perSecond)) : String(Math.round(perSecond * 10) / 10);
}

export interface EventRates {
  /** Of the topics that it listens to, a second. */
  readonly reads: number;
  readonly publishes: number;
}

/** Undefined: none went to it or from it lately. */
export function eventRates({ arrows }: Pick<Picture, 'arrows'>, module: string): EventRates | undefined {
  let [reads, publishes] = [0, 0];
  for (const [key, { perSecond }] of Object.entries(arrows)) {
    const [publisher, listener] = key.split('>');
    if (listener === module) reads += perSecond;
    // Whoever listens: it is said once.
    if (publisher === module) publishes = perSecond;
  }
  return reads + publishes > 0 ? { reads, publishes } : undefined;
}

/** `reads 2.1 events/s, publishes 0.9`. */
export const eventWords = ({ reads, publishes }: EventRates): string =>
  `reads ${rate(reads)} events/s, publishes ${rate(publishes)}`;

/** On which side it was, by the module that was asked; '': nobody asked. */
export const answeredBy = (module: string, side: string): string =>
  side === 'service' ? `${module}’s service` : side === 'in-process' ? 'the monolith' : '';

/** `0.8`, `14`, without the unit. */
export function ms(value: number | undefined): string {
  if (value === undefined) return '–';
  return value >= 10 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}

export function errors(share: number): string {
  if (share === 0) return '0 %';
  return share < 0.01 ? `${(share * 100).toFixed(2)} %` : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)} %`;
}

/** Of both sides as one: rates add up, the slower side's times are shown. */
export function together(
  sides: Readonly<Partial<Record<'in-process' | 'service', Numbers>>>,
): Numbers | undefined {
  const all = Object.values(sides);
  if (all.length === 0) return undefined;
  const perSecond = all.reduce((sum, one) => sum + one.perSecond, 0);
  const most = (of: 'p50' | 'p99') => {
    const known = all.flatMap((one) => one[of] ?? []);
    return known.length === 0 ? {} : { [of]: Math.max(...known) };
  };
  const failed = all.reduce((sum, one) => sum + one.errors * one.perSecond, 0);
  return { perSecond, ...most('p50'), ...most('p99'), errors: perSecond === 0 ? 0 : failed / perSecond };
}

export function megabytes(bytes: number): string {
  return bytes >= 1024 ** 3 ? `${(bytes / 1024 ** 3).toFixed(1)} GB` : `${Math.round(bytes / 1024 ** 2)} MB`;
}

export const cores = (cpu: number): string => `${Math.round(cpu * 100)} % of a core`;

export function behind(bytes: number): string {
  if (bytes === 0) return 'level';
  if (bytes < 1024) return `${bytes} B behind`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} kB behind`;
  return `${(bytes / 1024 ** 2).toFixed(1)} MB behind`;
}

/** `the shared server`, `a server of its own`, `the server second`. */
export function serverInWords(server: string): string {
  if (server === 'shared') return 'the shared server';
  return server === 'own' ? 'a server of its own' : `the server ${server}`;
}

export const plural = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : what.endsWith('s') ? 'es' : 's'}`;

/** `failed during this flip: 0`, or that nobody counted. */
export function flipWords({ failed }: Pick<NonNullable<PictureModule['flip']>, 'failed'>): string {
  return failed === undefined ? 'nobody looked when this flip began' : `failed during this flip: ${failed}`;
}

/** Whether it is not over. */
export const isUnderWay = (transfer: PictureModule['transfer']): boolean =>
  transfer !== undefined && transfer.step !== 'done' && transfer.step !== 'failed';

/** As a sentence of the module: `orders serves in-process`. */
export function servesSentence(name: string, module: Pick<PictureModule, 'placement' | 'percent'>): string {
  switch (module.placement) {
    case 'in-process':
      return `${name} serves in-process, in the monolith`;
    case 'service':
      return `${name} serves as a service`;
    case 'shadow':
      return `${name} serves in-process; its service is tried in shadow`;
    case 'canary':
      return `${module.percent} % of the requests of ${name} go to its service, the others to the monolith`;
  }
}

/** Of one that is past. */
export const lastFlip = ({ failed }: NonNullable<PictureModule['flip']>): string =>
  `its flip then failed ${failed === 0 ? 'no request' : plural(failed!, 'request')}`;

const FRESH_MS = 15_000;
const LATE_MS = 90_000;

/** Whether a flip is under way or was a few seconds ago; one that failed requests is told for longer. */
export function isFresh(
  { over, overAt, at, failed }: NonNullable<PictureModule['flip']>,
  now: number,
): boolean {
  return !over || now - Date.parse(overAt ?? at) < (failed ? LATE_MS : FRESH_MS);
}

/** What a transfer is called by where it leads. */
export const WAYS = {
  service: 'extract',
  'in-process': 'restore',
  shadow: 'shadow',
  ladder: 'ladder',
} as const;

export const TRANSFER_WORDS = {
  starting: 'starting a process, waiting until it is healthy',
  flipping: 'flipping',
  draining: 'waiting for its requests to end, then stopping its processes',
  done: 'done',
  failed: 'failed',
} as const;

/** In a word and a sentence. Its steps may be done while its flip still is not over: then neither is it. */
export function transferWords(
  { step, reason }: NonNullable<PictureModule['transfer']>,
  flip: PictureModule['flip'],
): { tone: 'busy' | 'good' | 'bad'; word: string; says: string } {
  if (step === 'failed') return { tone: 'bad', word: 'failed', says: reason ?? TRANSFER_WORDS.failed };
  if (step !== 'done') return { tone: 'busy', word: 'under way', says: reason ?? TRANSFER_WORDS[step] };
  if (flip && !flip.over)
    return { tone: 'busy', word: 'under way', says: 'its steps are done, its flip is still counted' };
  return { tone: 'good', word: 'done', says: reason ?? TRANSFER_WORDS.done };
}
