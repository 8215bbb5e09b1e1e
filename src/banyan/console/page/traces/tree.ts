// The order of a waterfall: each part under what caused it, in the order in which they began; what is missing stands where it
// would be. A part whose cause is not there begins a tree of its own.
import type { Trace, TraceSpan } from '../../../admin/traces-contract.ts';

export interface Row {
  readonly key: string;
  readonly depth: number;
  /** Absent: it is missing. */
  readonly span?: TraceSpan;
  readonly missing?: string;
}

export function rowsOf({ spans, missing }: Trace): Row[] {
  const known = new Set(spans.map(({ id }) => id));
  const below = Map.groupBy(spans, ({ parent, entry }) =>
    parent !== null && !entry && known.has(parent) ? parent : '',
  );
  const gone = (where: 'above' | 'below') =>
    new Map(missing.flatMap((one) => (one.where === where ? [[one.span, one.what] as const] : [])));
  const [above, under] = [gone('above'), gone('below')];
  const rows: Row[] = [];
  const seen = new Set<string>();
  const add = (span: TraceSpan, depth: number) => {
    if (seen.has(span.id)) return;
    seen.add(span.id);
    const lacks = above.get(span.id);
    if (lacks) rows.push({ key: `${span.id}-above`, depth, missing: lacks });
    const own = lacks ? depth + 1 : depth;
    rows.push({ key: span.id, depth: own, span });
    for (const one of below.get(span.id) ?? []) add(one, own + 1);
    const left = under.get(span.id);
    if (left) rows.push({ key: `${span.id}-below`, depth: own + 1, missing: left });
  };
  for (const span of below.get('') ?? []) add(span, 0);
  return rows;
}
