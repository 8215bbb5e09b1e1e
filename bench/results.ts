// bench/RESULTS.md, where every benchmark has its place: between two marks that name it. A benchmark that is run
// again replaces its own section and leaves the others as they are.
import { readFileSync, writeFileSync } from 'node:fs';

const file = new URL('./RESULTS.md', import.meta.url);

/** Puts `text` (Markdown) where the section's last results stood. Throws when RESULTS.md has no such section. */
export function writeSection(name: string, text: string): void {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const all = readFileSync(file, 'utf8');
  const [before, after] = [all.indexOf(begin), all.indexOf(end)];
  if (before < 0 || after < before)
    throw new Error(`${file.pathname} has no place for it: ${begin} … ${end}`);
  writeFileSync(file, `${all.slice(0, before + begin.length)}\n${text.trim()}\n${all.slice(after)}`);
}
