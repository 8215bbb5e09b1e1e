// The alarms as deploy/observability/prometheus has them: what each is called, how bad it is and which runbook it names; and
// the same rules with every duration divided, so that what takes minutes is seen in seconds. It asks no Prometheus.
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

export const RULES = new URL('../../../deploy/observability/prometheus/', import.meta.url);
export const RULE_FILES = ['recording.yml', 'alerts.yml'] as const;

export interface Alarm {
  readonly name: string;
  readonly group: string;
  readonly severity: string;
  readonly expr: string;
  /** As written; undefined: at once. */
  readonly for: string | undefined;
  readonly summary: string;
  readonly runbook: string;
}

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Groups {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const read = (file: string): string => readFileSync(new URL(file, RULES), 'utf8');

export function readAlarms(): Alarm[] {
  const { groups } = parse(read('alerts.yml')) as Groups;
  return groups.flatMap(({ name: group, rules }) =>
    rules.flatMap(({ alert, expr, for: wait, labels = {}, annotations = {} }) =>
      alert === undefined
        ? []
        : {
            name: alert,
            group,
            severity: labels.severity ?? '',
            expr,
            for: wait,
            summary: annotations.summary ?? '',
            runbook: annotations.runbook_url ?? '',
          },
    ),
  );
}

/** Every expression, those of recorded series too. */
export function readExpressions(): string[] {
  return RULE_FILES.flatMap((file) =>
    (parse(read(file)) as Groups).groups.flatMap(({ rules }) => rules.map(({ expr }) => expr)),
  );
}

/** A file of rules with `for`, windows and offsets divided; thresholds are as they were. */
export function scaledRules(file: (typeof RULE_FILES)[number], scale: number): string {
  return read(file).replace(
    /(?<before>\bfor: |\[|offset )(?<length>\d+[smhd])\b/g,
    (_all, before: string, length: string) => `${before}${scaledDuration(length, scale)}`,
  );
}

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Never below what Prometheus takes. @param leastMs what is shorter is that long. */
export function scaledDuration(length: string, scale: number, leastMs = 1): string {
  const ms = (Number(length.slice(0, -1)) * UNITS[length.at(-1)!]!) / scale;
  return `${Math.max(leastMs, Math.round(ms))}ms`;
}
