// What a query of a dashboard is, read by Prometheus' own grammar: with which values Grafana would ask it, whether it parses, and
// which numbers it is made of.
import { parser } from '@prometheus-io/lezer-promql';

/** What Grafana puts in where a dashboard has a variable. */
export interface Values {
  /** Longer than two scrapes. */
  readonly rateInterval: string;
  /** The time that is shown. */
  readonly range: string;
  readonly module: string;
  readonly host: string;
}

/** @throws where a variable is left that nobody knows. */
export function filledIn(expression: string, { rateInterval, range, module, host }: Values): string {
  const filled = expression
    .replaceAll('$__rate_interval', rateInterval)
    .replaceAll('$__range', range)
    .replaceAll('$module', module)
    .replaceAll('$host', host);
  if (filled.includes('$')) throw new Error(`a variable that is not known: ${filled}`);
  return filled;
}

export interface ReadQuery {
  /** Where the grammar does not know on, as they are written; none: it is PromQL. */
  readonly errors: readonly string[];
  /** Names of metrics. */
  readonly metrics: ReadonlySet<string>;
}

export function readQuery(expression: string): ReadQuery {
  const errors: string[] = [];
  const metrics = new Set<string>();
  parser.parse(expression).iterate({
    enter({ type, from, to, node }) {
      if (type.isError) errors.push(expression.slice(Math.max(0, from - 20), to + 20));
      if (type.name === 'VectorSelector') {
        const name = node.getChild('Identifier');
        if (name) metrics.add(expression.slice(name.from, name.to));
      }
    },
  });
  return { errors, metrics };
}
