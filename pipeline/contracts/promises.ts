// What a revision promises, and what the working tree does: each is told by a process of its own (tell.ts), so that the
// code of both can be loaded beside one another. The tree of the revision is laid out in a folder for temporary files, with
// the packages that are installed here, and removed again.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Contract } from '../../src/banyan/contract/contract.ts';
import type { JsonObject } from '../../src/banyan/placement/canonical.ts';
import type { Checkout } from '../checkout.ts';
import { refusal } from '../refusal.ts';

export interface Asked {
  readonly tree: string;
  /** The folder of the modules and that of the library, with a slash at their ends. */
  readonly modules: string;
  readonly library: string;
}

export interface Promised {
  readonly modules: readonly Contract[];
  /** Of the library: what a host promises beside its modules. */
  readonly host: readonly Contract[];
  readonly openapi: JsonObject;
  readonly asyncapi: JsonObject;
}

export type Places = Omit<Asked, 'tree'>;

const MOST_BYTES = 128 * 1024 * 1024;
const LONGEST_MS = 60_000;

export function promisedHere({ root }: Checkout, places: Places): Promise<Promised> {
  return told({ tree: root, ...places }, 'the working tree', 'Mend it: npm run typecheck says more');
}

/** @param revision as it was asked for, for people. */
export async function promisedAt(
  checkout: Checkout,
  commit: string,
  revision: string,
  places: Places,
): Promise<Promised> {
  const tree = mkdtempSync(join(tmpdir(), 'banyan-promises-'));
  try {
    checkout.layOut(commit, ['package.json', places.modules, places.library], tree);
    symlinkSync(join(checkout.root, 'node_modules'), join(tree, 'node_modules'), 'junction');
    return await told(
      { tree, ...places },
      revision,
      'Name a later revision: its tree must have this form, and run on the packages that are installed here',
    );
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
}

async function told(asked: Asked, of: string, next: string): Promise<Promised> {
  const script = fileURLToPath(new URL('./tell.ts', import.meta.url));
  const options = { cwd: asked.tree, maxBuffer: MOST_BYTES, timeout: LONGEST_MS };
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(asked)], options);
    return JSON.parse(stdout) as Promised;
  } catch (error) {
    // The folder is gone when somebody reads this.
    const said = whyOf(error as { stderr?: string; message: string }).replaceAll(asked.tree, '');
    throw refusal('contracts-unreadable', 'The contracts cannot be read', `Of ${of}: ${said}`, next);
  }
}

/** The line of a stack that says what is wrong. */
function whyOf({ stderr, message }: { stderr?: string; message: string }): string {
  const line = stderr?.split('\n').find((one) => /^\w*Error\b/.test(one));
  return (line ?? message.split('\n')[0]!).trim();
}
