// Makes all checks at once. Guarantees: a check that fails or takes too long is a finding of its own, and holds up no other;
// so the whole takes no longer than one check may; who asks while it is done gets the same answer, so that nobody can have
// servers asked without end.
import type { Examined } from './contract.ts';
import { type Finding, unknown, worstFirst } from './finding.ts';

export interface Check {
  readonly name: string;
  /** What it looks at, where it could not be looked at. */
  readonly subject: string;
  look(): Promise<readonly Finding[]>;
}

export const EACH_MS = 3_000;

/** @param checks those of one look: they may share what they read. */
export function createExamination(host: string, checks: () => Promise<readonly Check[]>, eachMs = EACH_MS) {
  let underWay: Promise<Examined> | undefined;
  const examine = async (): Promise<Examined> => {
    const at = new Date().toISOString();
    const found = await Promise.all((await checks()).map((one) => bounded(one, eachMs)));
    return { items: worstFirst(found.flat()), at, host };
  };
  return (): Promise<Examined> => {
    underWay ??= examine().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };
}

/** What it finds, or why it found nothing in time. Never rejects. */
export async function bounded({ name, subject, look }: Check, ms: number): Promise<readonly Finding[]> {
  try {
    return await inTime(ms, look());
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return [unknown(name, subject, message || code || String(error), AGAIN)];
  }
}

/** Rejects when the time is up first; what was begun goes on for nobody. */
export async function inTime<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms / 1_000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

const AGAIN = 'See what else is found, then ask again: npx banyan doctor';
