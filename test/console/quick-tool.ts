// A tool that compares nothing and writes the report that the documentation shows, in a second or, of the work `long`, never:
// what a host does with its tool is tried without the minute that a real comparison takes.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { compareDiff } from './quick-diff.ts';

const docs = join(import.meta.dirname, '../../docs');
const [first, older, newer] = process.argv.slice(2);
if (first === 'diff') compareDiff(older!, newer!);
else {
  const { values } = parseArgs({
    args: process.argv.slice(2),
    options: {
      ...{ a: { type: 'string' }, b: { type: 'string' }, out: { type: 'string' }, work: { type: 'string' } },
      ...{
        quick: { type: 'boolean' },
        full: { type: 'boolean' },
        self: { type: 'boolean' },
        rounds: { type: 'string' },
      },
    },
  });
  process.on('SIGTERM', () => process.exit(1));
  const say = (text: string) => process.stderr.write(`${text}\n`);
  say('prepare: two databases');
  say(`rounds: 1 of 6, <img src=x onerror=alert(1)>`);
  if (values.work === 'long') await pause(600_000);
  if (values.work === 'broken') {
    say('The disk is full');
    process.exit(1);
  }
  await pause(700);
  const page = join(docs, 'compare-report.html');
  copyFileSync(page, join(values.out!, 'report.html'));
  const inside = /<script[^>]*id="report"[^>]*>([\s\S]*?)<\/script>/.exec(readFileSync(page, 'utf8'));
  writeFileSync(join(values.out!, 'report.json'), inside![1]!);
}
