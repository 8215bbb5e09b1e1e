// Every host asked now, by the host that looks: whether it lives, whether it is ready, what it says of itself and what time it
// is there. Guarantees: each question has its time, and a host that hangs holds up no other; nothing is made up for who is silent.
import { request } from 'undici';
import type { InternalTokens } from '../identity/internal-token.ts';
import { askHost, whyNoAnswer } from '../placement/ask-host.ts';
import type { HostRow } from '../placement/tables.ts';
import { ABOUT_PATH, type About, readAbout } from './about.ts';
import { type ClockSeen, readClock } from './clocks.ts';

/** Less than a check has. */
const WITHIN_MS = 2_000;
const MOST_BYTES = 64 * 1024;

/** `why` there is no answer, in words. */
export type Answered<T> = { readonly answer: T } | { readonly why: string };

export interface HostSeen {
  readonly row: HostRow;
  readonly live: Answered<{ readonly status: number; readonly ms: number }>;
  readonly ready: Answered<{ readonly status: number; readonly words: string }>;
  readonly about: Answered<About>;
  /** Of the clock here; absent: it does not say. */
  readonly clock?: ClockSeen;
}

type Tokens = Pick<InternalTokens, 'mint'>;

export function askHosts(
  hosts: readonly HostRow[],
  tokens: Tokens,
  withinMs = WITHIN_MS,
): Promise<HostSeen[]> {
  return Promise.all(hosts.map((row) => ask(row, tokens, withinMs)));
}

async function ask(row: HostRow, tokens: Tokens, ms: number): Promise<HostSeen> {
  const signal = AbortSignal.timeout(ms);
  const answered = async <T>(work: () => Promise<T>): Promise<Answered<T>> => {
    try {
      return { answer: await work() };
    } catch (error) {
      return { why: whyNoAnswer(error, signal, ms) };
    }
  };
  let clock: ClockSeen | undefined;
  const [live, ready, about] = await Promise.all([
    answered(async () => {
      const began = performance.now();
      let status = 0;
      const byDate = await readClock(async () => {
        const answer = await probe(`${row.url}/health/live`, signal);
        status = answer.status;
        return answer.date;
      }, 1_000);
      if (!Number.isNaN(byDate.aheadMs)) clock ??= byDate;
      return { status, ms: performance.now() - began };
    }),
    answered(async () => {
      const { status, text } = await probe(`${row.url}/health/ready`, signal);
      return { status, words: whyNotReady(text) };
    }),
    answered(async () => {
      let said: About | undefined;
      // To the millisecond: better than by the Date of an answer.
      clock = await readClock(async () => {
        said = readAbout(await askHost(row, tokens, { path: ABOUT_PATH, signal, mostBytes: MOST_BYTES }));
        return said.now;
      });
      return said!;
    }),
  ]);
  return { row, live, ready, about, ...(clock && { clock }) };
}

async function probe(url: string, signal: AbortSignal) {
  const { statusCode, headers, body } = await request(url, { signal });
  let text = '';
  for await (const part of body.setEncoding('utf8')) {
    text += part;
    if (text.length > MOST_BYTES) throw new Error(`its answer is longer than ${MOST_BYTES} bytes`);
  }
  return { status: statusCode, date: Date.parse(String(headers.date)), text };
}

/** Of the report that our own hosts give; of others nothing. */
function whyNotReady(text: string): string {
  try {
    const { status, checks } = JSON.parse(text) as {
      status?: unknown;
      checks?: { stores?: Readonly<Record<string, unknown>> };
    };
    const away = Object.entries(checks?.stores ?? {}).filter(([, one]) => one !== 'ok');
    return [String(status ?? ''), ...away.map(([module, one]) => `the store of ${module}: ${one}`)].join(
      ', ',
    );
  } catch {
    return '';
  }
}
