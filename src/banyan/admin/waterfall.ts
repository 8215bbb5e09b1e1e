// The spans of one trace put together: on which side each ran, how long an event lay in the log, and which parts must have
// been there and are not. It makes up nothing: a part that is missing is said to be missing. Pure.
import type { HostSpan } from '../placement/collect-traces.ts';
import { failsTrace } from '../telemetry/trace-head.ts';
import type { Missing, TraceSpan } from './traces-contract.ts';

export interface Waterfall {
  readonly at: number;
  readonly ms: number;
  readonly failed: boolean;
  readonly spans: TraceSpan[];
  readonly missing: Missing[];
}

/**
 * @param spans at least one, in the order in which they began.
 * @param isService whether a host of that id is a service.
 */
export function waterfallOf(spans: readonly HostSpan[], isService: (host: string) => boolean): Waterfall {
  const at = spans[0]!.at;
  const until = Math.max(...spans.map((span) => span.at + span.ms));
  const sent = new Map(
    spans.flatMap((span) =>
      span.kind === 'producer' ? [[messageOf(span), span.at + span.ms] as const] : [],
    ),
  );
  return {
    at,
    ms: until - at,
    failed: spans.some(failsTrace),
    spans: spans.map((span): TraceSpan => {
      const left = span.kind === 'consumer' ? sent.get(messageOf(span)) : undefined;
      return {
        ...span,
        side: isService(span.host) ? 'service' : 'in-process',
        at: new Date(span.at).toISOString(),
        offsetMs: span.at - at,
        keys: [...span.keys],
        ...(left !== undefined && { waitedMs: Math.max(0, span.at - left) }),
      };
    }),
    missing: missingOf(spans),
  };
}

function messageOf({ attributes }: HostSpan): unknown {
  return attributes['messaging.message.id'];
}

function missingOf(spans: readonly HostSpan[]): Missing[] {
  const known = new Set(spans.map(({ id }) => id));
  const asked = new Set(spans.flatMap(({ parent }) => parent ?? []));
  const missing: Missing[] = [];
  const named = new Set<string>();
  for (const { id, parent, entry, kind, name, module } of spans) {
    if (parent !== null && !entry && !known.has(parent) && !named.has(parent)) {
      named.add(parent);
      missing.push({ span: id, where: 'above', what: `What led to ${name} is not known here any more.` });
    }
    if (kind === 'client' && !asked.has(id))
      missing.push({
        span: id,
        where: 'below',
        what: `What ${module ?? 'the other side'} did with it is missing: its host is gone, or it kept nothing of it.`,
      });
  }
  return missing;
}
