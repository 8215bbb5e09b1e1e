// A quick comparison as a person runs it, and what is left when it is interrupted in each of its phases: nothing.
// It uses a folder for temporary files of its own, so that what is left would be seen.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Value } from 'typebox/value';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Report } from '../compare/format/report.ts';
import { processesIn } from '../compare/topology/folder.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'compare-test-'));
  // Root's PostgreSQL is another user.
  chmodSync(folder, 0o711);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly child: ChildProcess;
  readonly text: { out: string; err: string };
  readonly ended: Promise<unknown[]>;
}

function start(...words: string[]): Running {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('../bin/banyan.mjs', import.meta.url)), 'compare', ...words],
    {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder, DATA_DIR: join(folder, 'data') },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text.out += more;
  });
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text.err += more;
  });
  return { child, text, ended: once(child, 'close') };
}

const left = () => readdirSync(folder).filter((name) => name.startsWith('banyan-'));

describe('a quick comparison', () => {
  test('measures both shapes, says that it is rough, and leaves its report alone', async () => {
    const out = join(folder, 'report');
    const { child, text, ended } = start('--quick', '--out', out);
    await ended;
    expect(child.exitCode, text.err).toBe(0);
    expect(text.out.split('\n')[0]).toMatch(/^Extracting everything/);
    expect(text.out).toContain('rough');
    expect(text.err).toContain('rounds: pair 1 of 8');

    const report = JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
    expect([...Value.Errors(Report, report)]).toEqual([]);
    expect(report.answers).toMatchObject({ different: 0, statusesDifferent: 0, compared: 60 });
    // A B B A, as far as it came: a busy machine has no time for all pairs in a minute.
    expect(report.rounds.map(({ side }) => side).join('')).toMatch(/^(abba)*(ab)?$/);
    const counted = report.rounds.filter((one) => one.counted);
    expect(report.thrownAway.filter(({ what }) => what.includes('round of'))).toHaveLength(
      report.rounds.length - counted.length,
    );
    for (const { requests, failures } of counted) expect([requests > 0, failures]).toEqual([true, 0]);
    expect(report.figures.filter(({ primary }) => primary).map(({ id }) => id)).toEqual([
      'cpu',
      'p50',
      'p99',
      'memory',
    ]);
    expect(report.shapes.b.modules.every(({ placement }) => placement === 'service')).toBe(true);
    if (counted.length > 0) {
      const { a, b } = report.measured;
      expect(a.wire.callsPerRequest).toBe(0);
      // Every request of the public API goes to a service, and orders ask others.
      expect(b.wire.callsPerRequest).toBeGreaterThan(1);
      expect(b.processes.map(({ name }) => name)).toContain('orders-1');
      expect(b.peakMemoryBytes!).toBeGreaterThan(a.peakMemoryBytes!);
    }
    expect(existsSync(join(out, 'report.html'))).toBe(true);
    const recorded = gunzipSync(readFileSync(join(out, 'requests.jsonl.gz')))
      .toString()
      .trim()
      .split('\n');
    expect(recorded).toHaveLength(report.work.requests);
    expect(recorded.join('')).not.toMatch(/Bearer [A-Za-z0-9]/);
    expect([left(), processesIn(folder)]).toEqual([[], []]);
  });
});

describe('interrupted', () => {
  test.each([
    ['prepare', ['SIGINT']],
    ['start', ['SIGTERM']],
    ['rate', ['SIGHUP']],
    // A terminal and its wrapper both pass one on.
    ['rounds', ['SIGINT', 'SIGINT']],
  ] as const)('in the phase %s by %j: no process, no folder is left', async (phase, signals) => {
    const { child, text, ended } = start('--quick', '--out', join(folder, `none-${phase}`));
    await expect.poll(() => text.err, { timeout: 120_000, interval: 20 }).toContain(`${phase}: `);
    for (const signal of signals) child.kill(signal);
    await ended;
    expect(child.exitCode, text.err).not.toBe(0);
    expect(text.err).toContain('Interrupted');
    expect(text.out).toBe('');
    expect([left(), processesIn(folder), existsSync(join(folder, `none-${phase}`))]).toEqual([[], [], false]);
  });
});
