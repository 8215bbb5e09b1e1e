// The handlers of the traces' contract. What there is of a trace is asked of all live hosts at the moment of the question.
import type { Handlers } from '../contract/handlers.ts';
import { problem } from '../contract/problem.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import { storeErrors } from '../placement/admin.ts';
import { liveHosts } from '../placement/collect-stats.ts';
import { collectHeads, collectSpans, type Silent } from '../placement/collect-traces.ts';
import type { Follower } from '../placement/follower.ts';
import type { ControlStore } from '../placement/store.ts';
import type { TraceMarks } from '../placement/trace-marks.ts';
import type { TraceHead } from '../telemetry/trace-shape.ts';
import { traces } from './traces-contract.ts';
import { waterfallOf } from './waterfall.ts';

export interface TracesOptions {
  readonly store: Pick<ControlStore, 'read' | 'recording'>;
  readonly follower: Pick<Follower, 'current' | 'refresh'>;
  readonly tokens: Pick<InternalTokens, 'mint'>;
  readonly marks: Pick<TraceMarks, 'exchange'>;
}

const DEFAULT_LIMIT = 100;

export function traceHandlers({ store, follower, tokens, marks }: TracesOptions): Handlers<typeof traces> {
  return {
    list: async ({ module, min = 0, failed = false, key, limit = DEFAULT_LIMIT }) =>
      storeErrors(async () => {
        const { version, until } = await store.recording.ask();
        if (follower.current.version < version) await follower.refresh();
        await marks.exchange();
        const found = await collectHeads(liveHosts(await store.read()), tokens, key);
        const isAsked = (head: TraceHead) =>
          (module === undefined || head.modules.includes(module)) &&
          head.until - head.at >= min &&
          (!failed || head.failed) &&
          (key === undefined || head.trace === key || head.keys.includes(key));
        const asked = found.traces.filter(isAsked);
        const items = asked.slice(0, limit).map(({ at, until: end, modules, keys, ...head }) => ({
          ...head,
          at: new Date(at).toISOString(),
          ms: end - at,
          modules: [...modules],
          keys: [...keys],
        }));
        const recordingUntil = new Date(until).toISOString();
        return { recordingUntil, items, found: asked.length, silent: found.silent.map(named) };
      }),

    show: async ({ trace }) =>
      storeErrors(async () => {
        const tables = await store.read();
        const { kept, spans, silent } = await collectSpans(liveHosts(tables), tokens, trace);
        if (spans.length === 0)
          throw problem(traces, 'trace-unknown', {
            detail:
              'It is older than what is kept, or it was not recorded: nothing is while nobody looks at traces. ' +
              'Open the list of traces, and do again what you want to see.',
          });
        const services = new Set(tables.hosts.flatMap(({ id, role }) => (role === 'service' ? [id] : [])));
        const isService = (host: string) => services.has(host) || /-\d+$/.test(host);
        const { at, ...waterfall } = waterfallOf(spans, isService);
        return { trace, kept, at: new Date(at).toISOString(), ...waterfall, silent: silent.map(named) };
      }),
  };
}

const named = ({ id, reason }: Silent) => ({ id, reason });
