// What the doctor says: one thing that was looked at, how it is, and what helps. Guarantee: whatever is not well has a remedy,
// a command or a heading of the documentation; what could not be looked at is said so, and never taken for well.

export const levels = ['error', 'warning', 'unknown', 'ok'] as const;
export type Level = (typeof levels)[number];

export interface Finding {
  /** What was looked at: `clock`, `key`, `connections`. */
  readonly check: string;
  /** Whose: a host, a server, a module, a topic. */
  readonly subject: string;
  readonly level: Level;
  readonly found: string;
  /** Null: nothing has to be done. */
  readonly remedy: string | null;
}

export const ok = (check: string, subject: string, found: string): Finding => ({
  check,
  subject,
  level: 'ok',
  found,
  remedy: null,
});

/** It works, and will not always: or a person decided so, and may have forgotten it. */
export const warning = (check: string, subject: string, found: string, remedy: string): Finding => ({
  check,
  subject,
  level: 'warning',
  found,
  remedy,
});

/** Something does not work, or can lose what was promised. */
export const error = (check: string, subject: string, found: string, remedy: string): Finding => ({
  check,
  subject,
  level: 'error',
  found,
  remedy,
});

export const unknown = (check: string, subject: string, why: string, remedy: string): Finding => ({
  check,
  subject,
  level: 'unknown',
  found: `not checked: ${why}`,
  remedy,
});

/** Of one level as they came: families belong together. */
export function worstFirst(findings: readonly Finding[]): Finding[] {
  return levels.flatMap((level) => findings.filter((one) => one.level === level));
}

/** Those, or that all is well: a check that found nothing says so. */
export function orWell(
  findings: readonly Finding[],
  check: string,
  subject: string,
  found: string,
): Finding[] {
  return findings.length > 0 ? [...findings] : [ok(check, subject, found)];
}
