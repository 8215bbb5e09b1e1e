// Traces over all live hosts: each is asked for what it knows, and what they say is put together. Guarantees: it ends within
// its time, whoever does not answer; who did not is named; what is not there is not made up.
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Kept, Span, TraceHead } from '../telemetry/trace-shape.ts';
import { type AskedHost, askHost, whyNoAnswer } from './ask-host.ts';
import { readHeads, readSpans, TRACES_PATH } from './trace-report.ts';

const WITHIN_MS = 2_000;
const MOST_BYTES = 8 * 1024 * 1024;

export interface Silent {
  readonly host: string;
  readonly id: string;
  readonly reason: string;
}

/** With where it was made. */
export interface HostSpan extends Span {
  /** The id of the host: `monolith`, `depots-1`. */
  readonly host: string;
}

type Tokens = Pick<InternalTokens, 'mint'>;

export async function collectHeads(
  hosts: readonly AskedHost[],
  tokens: Tokens,
  key?: string,
): Promise<{ readonly traces: TraceHead[]; readonly silent: Silent[] }> {
  const query = key === undefined ? '' : `?key=${encodeURIComponent(key)}`;
  const { answers, silent } = await askAll(hosts, tokens, `${TRACES_PATH}${query}`, readHeads);
  const traces = new Map<string, TraceHead>();
  for (const { answer } of answers)
    for (const head of answer.traces) {
      const known = traces.get(head.trace);
      traces.set(head.trace, known ? joined(known, head) : head);
    }
  return { traces: [...traces.values()].sort((a, b) => b.at - a.at), silent };
}

export async function collectSpans(
  hosts: readonly AskedHost[],
  tokens: Tokens,
  trace: string,
): Promise<{ readonly kept: Kept | null; readonly spans: HostSpan[]; readonly silent: Silent[] }> {
  const { answers, silent } = await askAll(hosts, tokens, `${TRACES_PATH}/${trace}`, readSpans);
  const spans = answers.flatMap(({ answer, host }) =>
    answer.spans.map((span) => ({ ...span, host: host.id })),
  );
  const kept = answers.map(({ answer }) => answer.kept).find((one) => one !== null) ?? null;
  return { kept, spans: spans.sort((a, b) => a.at - b.at), silent };
}

async function askAll<T>(
  hosts: readonly AskedHost[],
  tokens: Tokens,
  path: string,
  read: (given: unknown) => T,
): Promise<{ answers: { host: AskedHost; answer: T }[]; silent: Silent[] }> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const answers: { host: AskedHost; answer: T }[] = [];
  const silent: Silent[] = [];
  await Promise.all(
    hosts.map(async (host) => {
      try {
        answers.push({
          host,
          answer: read(await askHost(host, tokens, { path, signal, mostBytes: MOST_BYTES })),
        });
      } catch (error) {
        silent.push({ host: host.host, id: host.id, reason: whyNoAnswer(error, signal, WITHIN_MS) });
      }
    }),
  );
  return { answers, silent };
}

/** What two hosts know of one trace. Where it began says what it is. */
function joined(one: TraceHead, other: TraceHead): TraceHead {
  const first = other.rooted === one.rooted ? (other.at < one.at ? other : one) : other.rooted ? other : one;
  return {
    trace: one.trace,
    kept: one.kept ?? other.kept,
    name: first.name,
    rooted: first.rooted,
    at: Math.min(one.at, other.at),
    until: Math.max(one.until, other.until),
    failed: one.failed || other.failed,
    spans: one.spans + other.spans,
    modules: [...new Set([...one.modules, ...other.modules])],
    keys: [...new Set([...one.keys, ...other.keys])],
  };
}
