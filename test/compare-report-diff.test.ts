// Two reports: what counts as worse, what does not, and what cannot be compared at all.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { banyan as commandLine } from '../bin/commands.ts';
import type { Interval, Report } from '../compare/format/report.ts';
import { diffReports } from '../compare/report/diff.ts';
import { diffMarkdown } from '../compare/report/diff-markdown.ts';
import { diffText } from '../compare/report/diff-text.ts';
import { times } from '../compare/report/elements/numbers.ts';
import { fullReport } from './compare-report.fixture.ts';

const unpainted = (_look: string, text: string) => text;

function changed(change: (report: Report) => void): Report {
  const report = fullReport();
  change(report);
  return report;
}

function scale(interval: Interval, by: number): void {
  interval.median *= by;
  interval.low! *= by;
  interval.high! *= by;
}

const figure = (report: Report, id: string) => report.figures.find((one) => one.id === id)!;
const verdicts = (older: Report, newer: Report, threshold = 1.1) =>
  diffReports(older, newer, threshold)
    .changes.filter(({ verdict }) => verdict !== 'no difference found')
    .map(({ id, what, verdict }) => [id, what, verdict]);

test('a report against itself: nothing', () => {
  expect(verdicts(fullReport(), fullReport())).toEqual([]);
});

test('a ratio is worse beyond the threshold where the intervals do not meet', () => {
  const costlier = changed((report) => scale(figure(report, 'cpu-per-1000').ratio!, 1.3));
  expect(verdicts(fullReport(), costlier)).toEqual([['cpu-per-1000', 'B / A', 'worse']]);
  expect(verdicts(costlier, fullReport())).toEqual([['cpu-per-1000', 'B / A', 'better']]);
  expect(verdicts(fullReport(), costlier, 1.5)).toEqual([]);
});

test('what rounds alone could explain is no regression', () => {
  const maybe = changed((report) => {
    const one = figure(report, 'p50').ratio!;
    scale(one, 1.3);
    one.low = 1.2;
  });
  expect(verdicts(fullReport(), maybe)).toEqual([]);
  const unbounded = changed((report) => {
    const one = figure(report, 'p50').ratio!;
    one.median *= 3;
    one.low = null;
    one.high = null;
  });
  expect(verdicts(fullReport(), unbounded)).toEqual([]);
});

test('less of what is better when higher is worse', () => {
  const weaker = changed((report) => scale(figure(report, 'capacity').ratio!, 0.7));
  expect(verdicts(fullReport(), weaker)).toEqual([['capacity', 'B / A', 'worse']]);
});

test('a side by itself counts on the same machine with the same load alone', () => {
  const slower = changed((report) => {
    figure(report, 'p99').b! *= 1.4;
  });
  expect(verdicts(fullReport(), slower)).toEqual([['p99', 'B', 'worse']]);
  slower.machine.cores = 8;
  const diff = diffReports(fullReport(), slower, 1.1);
  expect(diff.notComparable).toEqual(['machine (2 x AMD EPYC, then 8 x AMD EPYC)']);
  expect(diff.worse).toBe(0);
});

test('other work or shapes are refused, figures of one report alone are named', () => {
  const other = changed((report) => {
    report.work.name = 'checkout';
  });
  expect(() => diffReports(fullReport(), other, 1.1)).toThrow(
    expect.objectContaining({ code: 'reports-differ', message: expect.stringContaining('"checkout"') }),
  );
  const fewer = changed((report) => {
    report.figures = report.figures.filter(({ id }) => id !== 'p50');
  });
  expect(diffReports(fullReport(), fewer, 1.1).missing).toEqual(['p50']);
});

test('in words, worst first, in 80 columns', () => {
  const newer = changed((report) => {
    scale(figure(report, 'cpu-per-1000').ratio!, 1.3);
    figure(report, 'p99').b! *= 1.7;
  });
  const lines = diffText(diffReports(fullReport(), newer, 1.1), unpainted).split('\n');
  expect(lines[0]).toBe('2 figures worse by 10 % or more.');
  expect(lines[3]).toMatch(/^ {2}p99 +B +11\.5 ms +19\.6 ms +1\.70x worse$/);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
  expect(diffText(diffReports(fullReport(), fullReport(), 1.1), unpainted)).toMatch(/^Nothing is worse/);
});

test('as a comment: each ratio of both reports with its interval', () => {
  const newer = changed((report) => scale(figure(report, 'cpu-per-1000').ratio!, 1.3));
  const text = diffMarkdown(diffReports(fullReport(), newer, 1.1), fullReport(), newer);
  expect(text).toMatch(/^### Comparison with main: 1 worse by 10 % or more\n/);
  const { title, ratio } = figure(newer, 'cpu-per-1000');
  const line = text.split('\n').find((one) => one.startsWith(`| **${title}** |`))!;
  const [, , before, after, verdict] = line.split('|').map((cell) => cell.trim());
  expect(after).toBe(`${times(ratio!.median)} (${times(ratio!.low)} to ${times(ratio!.high)})`);
  expect(before).not.toBe(after);
  expect(verdict).toBe('worse');
});

test('on the command line: 0 where nothing is worse, 1 where something is, and a file that is no report is named', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-diff-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const save = (name: string, data: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, JSON.stringify(data));
    return path;
  };
  const older = save('old.json', fullReport());
  const newer = save(
    'new.json',
    changed((report) => scale(figure(report, 'cpu-per-1000').ratio!, 1.3)),
  );
  const said = { out: '', err: '' };
  const output = (which: 'out' | 'err') => ({
    isTerminal: false,
    write: (text: string) => {
      said[which] += text;
    },
  });
  const banyan = (...words: string[]) => {
    said.out = '';
    said.err = '';
    const terminal = {
      env: {},
      out: output('out'),
      err: output('err'),
      interrupted: new AbortController().signal,
    };
    return commandLine(['compare', 'diff', ...words], terminal);
  };
  expect(await banyan(older, older)).toBe(0);
  expect(await banyan(older, newer)).toBe(1);
  expect(said.out).toContain('1 figure worse by 10 % or more.');
  expect(await banyan(older, newer, '--threshold', '1.5')).toBe(0);
  expect(await banyan(older, newer, '--json')).toBe(1);
  expect(JSON.parse(said.out)).toMatchObject({ threshold: 1.1, worse: 1, better: 0 });
  expect(await banyan(older, save('other.json', { rough: true }))).toBe(1);
  expect(said.err).toContain('other.json is not a report of banyan compare');
  expect(await banyan(older, join(folder, 'none.json'), '--json')).toBe(1);
  expect(JSON.parse(said.out)).toMatchObject({ code: 'report-unreadable', status: 400 });
  expect(await banyan(older, newer, '--threshold', '1')).toBe(1);
  expect(said.err).toContain('a factor above 1');
});
