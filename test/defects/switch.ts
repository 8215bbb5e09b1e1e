// Which defect a service has at the moment: a file beside the monolith's data, which a test writes and each request of
// the defective process reads. What each defect does is defective.ts's.
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * `status`: another one. `field`: one number of an answer is higher by one. `event`: none is published. `slow`: every
 * request takes 20 ms more. `errors`: one request in 100 fails. `memory`: it grows until the process is killed.
 */
export type Defect = 'status' | 'field' | 'event' | 'slow' | 'errors' | 'memory';

/** Of `slow`. */
export const SLOWER_MS = 20;

const FILE = 'defects.json';

/** @param dataDir of the monolith. By module; a module that is not named has none. */
export function setDefects(dataDir: string, defects: Readonly<Record<string, Defect>>): void {
  const file = join(dataDir, FILE);
  // Whoever reads meanwhile reads the one before.
  writeFileSync(`${file}.next`, JSON.stringify(defects));
  renameSync(`${file}.next`, file);
}

/** @param dataDir of a service that this monolith started. */
export function defectOf(module: string, dataDir: string): Defect | undefined {
  try {
    const file = join(dataDir, '..', '..', FILE);
    return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Defect>)[module];
  } catch {
    return undefined;
  }
}
