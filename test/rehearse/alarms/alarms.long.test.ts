// Alarms rehearsed, small: five faults in one shop, with the times of the rules divided. `npm run rehearse -- alarms` strikes all
// of them, as the rules are delivered. And what promtool and amtool say of the files.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { FAULTS } from './faults.ts';
import { missing, programOf, promtool } from './prometheus.ts';
import { rehearseAlarms } from './rehearsal.ts';
import { RULES } from './rules.ts';

const folder = fileURLToPath(RULES);

/** Says so where it is not here, and leaves the test out. */
function needs(program: Parameters<typeof programOf>[0]): boolean {
  if (programOf(program)) return false;
  console.warn(`Left out: what needs ${program} (${missing(program)})`);
  return true;
}

describe.skipIf(needs('promtool'))('promtool', () => {
  test('takes the configuration and the rules', async () => {
    expect(await promtool('check', 'config', '--syntax-only', join(folder, 'prometheus.yml'))).toMatch(
      /SUCCESS/,
    );
  });

  test.each(readdirSync(join(folder, 'tests')))(
    '%s: each alarm fires, names the thing, and ends',
    async (file) => {
      expect(await promtool('test', 'rules', join(folder, 'tests', file))).toMatch(/SUCCESS/);
    },
  );
});

const STRUCK = ['mail', 'poison', 'storage', 'disk', 'last-instance', 'monolith'];

test.skipIf(needs('prometheus'))(
  'faults in a shop that runs: each alarm fires, names the thing, ends, and its runbook begins with what works',
  { timeout: 240_000 },
  async () => {
    const lines: string[] = [];
    const outcome = await rehearseAlarms({
      faults: FAULTS.filter(({ name }) => STRUCK.includes(name)),
      scale: 15,
      calmS: 10,
      say: (line) => lines.push(line),
    });
    expect(outcome.wrong, lines.join('\n')).toEqual([]);
    expect(new Set(outcome.observed.map(({ fault }) => fault))).toEqual(new Set(STRUCK));
  },
);
