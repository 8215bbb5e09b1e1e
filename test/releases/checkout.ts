// Another checkout of the product, as a team has one of another version: this tree's files in a folder of their own, with a
// change to one module, and the packages that are installed here. Gone when its test is over.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a process of the product reads. */
const PARTS = ['src', 'extracted', 'prisma', 'package.json'];

export interface Change {
  /** In the checkout. */
  readonly file: string;
  /** Must be there, or the change would be none. */
  readonly from: string;
  readonly to: string;
}

export class Checkout {
  readonly folder = mkdtempSync(join(tmpdir(), 'banyan-checkout-'));

  constructor(changes: readonly Change[]) {
    for (const part of PARTS) cpSync(join(root, part), join(this.folder, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.folder, 'node_modules'), 'junction');
    for (const { file, from, to } of changes) {
      const path = join(this.folder, file);
      const text = readFileSync(path, 'utf8');
      if (!text.includes(from))
        throw new Error(`${file} has no "${from}": the change of this test fits it no more`);
      writeFileSync(path, text.replace(from, to));
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
