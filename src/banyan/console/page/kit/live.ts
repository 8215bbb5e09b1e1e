// The picture, kept up by one stream of this tab while somebody sees it. Guarantees: it is whole or it is not there; what did
// not change stays the same object; without a stream (too many watch, or something between cuts it) the page asks every 5 s
// and says so; a host that is gone is asked for again, at longer and longer intervals.

import { applied, type Delta } from '../../shared/delta.ts';
import type { Picture } from '../../shared/picture-shape.ts';
import { ask, Problem } from './api.ts';
import { effect, type ReadonlySignal, type Signal, signal } from './html.ts';
import { operator, signedOut, system } from './system.ts';
import { visible } from './visible.ts';

export type { Picture } from '../../shared/picture-shape.ts';

export interface Connection {
  /**
   * `paused`: the tab is hidden, or nobody is signed in. `polling`: asked every 5 s. `late`: it streams, and said nothing for some
   * seconds. `lost`: the host does not answer. */
  readonly state: 'paused' | 'connecting' | 'live' | 'late' | 'polling' | 'lost';
  /** Since when (`late`, `lost`: when it answered last), in milliseconds since the epoch. */
  readonly since: number;
}

const shown: Signal<Picture | undefined> = signal(undefined);
const standing: Signal<Connection> = signal({ state: 'paused', since: Date.now() });

/** Undefined until the first one is there. */
export const picture: ReadonlySignal<Picture | undefined> = shown;
export const connection: ReadonlySignal<Connection> = standing;

const POLL_MS = 5_000;
/** While it polls it tries a stream again so often. */
const RETRY_MS = 30_000;
const LONGEST_WAIT_MS = 10_000;
/** A stream says something each second, and a host that stands still says nothing: it is late, then asked. */
const LATE_MS = 2_500;
const SILENT_MS = 5_000;
const ANSWER_MS = 3_000;

let stream: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let last = '';
let failures = 0;
/** When the host answered last. */
let heard = Date.now();

/** Follows from now on; once per page. */
export function startLive(): void {
  effect(() => {
    const watched = visible.value && operator.value !== null;
    stop();
    if (watched) connect();
    else say('paused');
    if (operator.value === null) forget();
  });
}

/** What one person saw is not shown to the next. */
function forget(): void {
  shown.value = undefined;
  last = '';
}

function say(state: Connection['state']): void {
  if (standing.peek().state !== state)
    standing.value = { state, since: state === 'lost' || state === 'late' ? heard : Date.now() };
}

function stop(): void {
  stream?.close();
  stream = undefined;
  clearTimeout(timer);
}

function later(ms: number, work: () => void): void {
  clearTimeout(timer);
  timer = setTimeout(work, ms);
}

function connect(): void {
  stop();
  if (standing.peek().state === 'paused') say('connecting');
  const source = new EventSource(
    `${system.prefix}/api/live${last ? `?last=${encodeURIComponent(last)}` : ''}`,
  );
  stream = source;
  const take = (next: (data: unknown) => Picture | undefined) => (event: MessageEvent<string>) => {
    const made = next(JSON.parse(event.data));
    if (!made) return again();
    last = event.lastEventId;
    heard = Date.now();
    failures = 0;
    shown.value = made;
    say('live');
  };
  source.addEventListener(
    'picture',
    take((data) => data as Picture),
  );
  // What cannot be applied to nothing is asked for whole.
  source.addEventListener(
    'change',
    take((data) => shown.peek() && applied(shown.peek()!, data as Delta)),
  );
  source.addEventListener('open', () => {
    if (last && shown.peek()) say('live');
  });
  source.addEventListener('end', (event) => {
    const { why } = JSON.parse(event.data) as { why: string };
    stop();
    if (why === 'session')
      signedOut('The session has ended: the token is not valid any more, or 8 hours have passed.');
    else {
      say('connecting');
      later(waitMs(), connect);
    }
  });
  source.onerror = () => void fallBack();
  listenFor(source, Date.now());
}

function listenFor(source: EventSource, begun: number): void {
  const silent = Date.now() - Math.max(heard, begun);
  if (silent >= SILENT_MS) return void fallBack();
  const isLate = silent >= LATE_MS;
  if (isLate && standing.peek().state === 'live') say('late');
  later((isLate ? SILENT_MS : LATE_MS) - silent, () => {
    if (stream === source) listenFor(source, begun);
  });
}

function again(): void {
  last = '';
  connect();
}

const waitMs = () => Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures++) * (0.75 + Math.random() / 2);

/** The stream broke or was refused: what an ordinary request says decides what next. */
async function fallBack(): Promise<void> {
  const broken = stream;
  stream?.close();
  const since = Date.now();
  try {
    const whole = await ask<Picture>('GET', '/picture', undefined, AbortSignal.timeout(ANSWER_MS));
    heard = Date.now();
    if (stream !== broken) return;
    shown.value = whole;
    last = '';
    // Once is a cut: the stream is tried again at once. Then it is asked for more seldom, and the page polls.
    if (failures++ === 0) connect();
    else poll(since);
  } catch (error) {
    if (stream !== broken || operator.peek() === null) return;
    if (error instanceof Problem && error.status !== 0 && error.status < 500) poll(since);
    else {
      say('lost');
      later(waitMs(), connect);
    }
  }
}

function poll(since: number): void {
  say('polling');
  later(POLL_MS, async () => {
    if (Date.now() - since > RETRY_MS) return connect();
    try {
      shown.value = await ask<Picture>('GET', '/picture');
      heard = Date.now();
      poll(since);
    } catch {
      if (operator.peek() !== null) connect();
    }
  });
}
