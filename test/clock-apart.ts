// A host whose clock is another one: what `Date` says in it, while it runs, is as far from this machine's as a test says.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ClockApart {
  /** For the monolith that starts it, or for itself: only the process of that id takes the other clock. */
  readonly env: { readonly NODE_OPTIONS: string };
  /** A folder of the test's own, which goes with it. */
  readonly folder: string;
  set(seconds: number): void;
  close(): void;
}

/** @param id as INSTANCE_ID says it. */
export function clockApart(id: string): ClockApart {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-clock-'));
  const file = join(folder, 'seconds');
  const set = (seconds: number) => writeFileSync(file, String(seconds));
  set(0);
  const preload = `data:text/javascript,${encodeURIComponent(`
    import { readFileSync } from 'node:fs';
    if (process.env.INSTANCE_ID === ${JSON.stringify(id)}) {
      const now = Date.now;
      const RealDate = Date;
      const shift = () => Number(readFileSync(${JSON.stringify(file)}, 'utf8')) * 1000;
      globalThis.Date = class extends RealDate {
        constructor(...given) { if (given.length) super(...given); else super(RealDate.now()); }
      };
      RealDate.now = () => now() + shift();
      globalThis.Date.now = RealDate.now;
    }`)}`;
  return {
    env: { NODE_OPTIONS: `--import ${preload}` },
    folder,
    set,
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
