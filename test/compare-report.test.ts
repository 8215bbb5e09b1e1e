// What is said of a comparison without a browser: the schema, the screen of a terminal, the page as text, the numbers.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findingOf } from '../compare/finding.ts';
import { checkReport } from '../compare/format/check.ts';
import type { Fault, Report } from '../compare/format/report.ts';
import { reportSchema } from '../compare/format/schema.ts';
import { bytes, digits, ms, percent, tick } from '../compare/report/elements/numbers.ts';
import { linear, logarithmic, roundRange } from '../compare/report/elements/scale.ts';
import { htmlReport } from '../compare/report/html.ts';
import { terminalReport } from '../compare/report/terminal.ts';
import { fullReport, quickReport } from './compare-report.fixture.ts';

const unpainted = (_look: string, text: string) => text;

test('docs/compare-report.schema.json is what the code says', () => {
  const committed = readFileSync(new URL('../docs/compare-report.schema.json', import.meta.url), 'utf8');
  // Regenerate: node -e "import('./compare/format/schema.ts').then((m) => process.stdout.write(m.reportSchema()))"
  expect(JSON.parse(committed)).toEqual(JSON.parse(reportSchema()));
});

test('a report that fits is read back as it is; one that does not names its fields', () => {
  for (const report of [fullReport(), quickReport()])
    expect(checkReport(JSON.parse(JSON.stringify(report)), 'r.json')).toEqual(report);
  const broken = { ...fullReport(), rough: 'yes', seconds: '12' };
  expect(() => checkReport(broken, 'r.json')).toThrow(
    expect.objectContaining({
      code: 'report-unreadable',
      errors: [expect.objectContaining({ path: '/rough' }), expect.objectContaining({ path: '/seconds' })],
    }),
  );
  expect(() => checkReport([], 'r.json')).toThrow(/no(t a)? report of banyan compare/);
  expect(() => checkReport({ ...fullReport(), formatVersion: 2 }, 'r.json')).toThrow(
    expect.objectContaining({ code: 'report-version' }),
  );
});

test('the terminal gets one screen of 80 columns that begins with the finding', () => {
  for (const report of [fullReport(), quickReport()]) {
    const lines = terminalReport(report, unpainted).split('\n');
    expect(lines.length).toBeLessThanOrEqual(40);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(80);
    expect(lines.slice(0, 2).join(' ')).toContain(report.finding.slice(0, 100));
  }
});

test('the terminal says what is rough, what is exploratory, what was thrown away and what is missing', () => {
  const full = terminalReport(fullReport(), unpainted);
  expect(full).toMatch(/p99, order \* .*exploratory/s);
  expect(full).toContain('Thrown away: round 6');
  expect(full).toMatch(/orders is killed +100 % \/ 2\.1 % +11 % \/ 2\.1 %/);
  expect(full).toMatch(/capacity +431\/s +419\/s +0\.971x +0\.913 to 1\.04 +no diff\./);
  const quick = terminalReport(quickReport(), unpainted);
  expect(quick).toContain('rough');
  expect(quick).toContain('too few pairs');
  expect(quick).toContain('not measured with --quick');
  const unlike = fullReport();
  unlike.answers.different = 3;
  expect(terminalReport(unlike, unpainted)).toContain('did not answer alike: 3 bodies');
});

test('a fault of the monolith is held against each module that would have died alone', () => {
  const report = fullReport();
  const [inA, inB] = report.isolation!.faults as [Fault, Fault];
  const alone = (module: string, failedShare: number): Fault => ({
    ...inB,
    module,
    failedShare,
    slowedShare: 0,
  });
  const shared = {
    ...inA,
    failedShare: 0.5,
    slowedShare: 0,
    sharedWith: ['media', 'users', 'catalog', 'gateway'],
  };
  const faults = [
    shared,
    alone('orders', 0.1),
    alone('media', 0),
    alone('catalog', 0.75),
    alone('users', 0.5),
  ];
  const { against } = findingOf({ ...report, isolation: { ...report.isolation!, faults } });
  expect(against.a.at(-1)).toBe(
    'killed: 50 % of requests fail or slow in A; in B: orders 10 %, media 0 % (exploratory)',
  );
  expect(against.b.at(-1)).toBe(
    'catalog killed: 50 % of requests fail or slow in A, 75 % in B (exploratory)',
  );
  expect(against.neither.at(-1)).toBe(
    'users killed: 50 % of requests fail or slow in A, 50 % in B (exploratory)',
  );
});

test('the page says what was not measured, in place of each part', () => {
  const page = htmlReport(quickReport());
  expect(page.match(/Not measured with --quick\./g)!.length).toBeGreaterThanOrEqual(5);
  expect(htmlReport(fullReport())).not.toContain('Not measured');
  expect(page).toContain('rough');
});

test('of a traced request every moment belongs to somebody, and to one alone', () => {
  const waited = (report: Report) => htmlReport(report).match(/the median of [^<]*/g)!;
  // The proxy: 8.13 - 7.02; a call to another process less its work there: 1.94 - 1.17.
  expect(waited(fullReport())[1]).toContain(
    'monolith and the way from there 1.11 ms (14 %), orders-1 5.08 ms (62 %), between processes 0.770 ms (9.5 %), monolith 1.17 ms (14 %)',
  );
  const sideBySide = fullReport();
  const [trace] = sideBySide.traces!.a;
  trace!.spans.push({ ...trace!.spans[2]!, id: '9', name: 'users.getUser' });
  expect(waited(sideBySide)[0]).toBe('the median of 41 traced. monolith 6.91 ms (100 %)');
});

test('whatever comes from outside is text in the page', () => {
  const report = fullReport();
  report.finding = '</title><img src=x onerror=alert(1)>';
  report.notes = ['</script><script>alert(2)</script>'];
  const page = htmlReport(report);
  expect(page).not.toContain('<img');
  expect(page.match(/<script/g)).toHaveLength(1);
  expect(page.match(/<\/script/g)).toHaveLength(1);
});

test('numbers: three digits, and never more than is known', () => {
  expect([0, 0.0123, 1, 9.999, 99.96, 1234.5, -0.5].map(digits)).toEqual([
    '0',
    '0.0123',
    '1.00',
    '10.0',
    '100',
    '1,235',
    '-0.500',
  ]);
  expect([0, 1, 0.0001, 0.9999, 0.11, 0.055, null].map(percent)).toEqual([
    '0 %',
    '100 %',
    '< 0.1 %',
    '> 99.9 %',
    '11 %',
    '5.5 %',
    'n/a',
  ]);
  expect([999, 1000, 387e6].map(bytes)).toEqual(['999 bytes', '1.00 kB', '387 MB']);
  expect([ms(null), tick(20), tick(0.2)]).toEqual(['n/a', '20', '0.2']);
});

test('scales: round ticks, places where they belong', () => {
  const across = linear(431, [0, 100]);
  expect(across.ticks).toEqual([0, 100, 200, 300, 400, 500]);
  expect(across(250)).toBe(50);
  const fromBefore = linear(8, [0, 100], 5, -2);
  expect([fromBefore(-2), fromBefore(8), fromBefore.ticks[0]]).toEqual([0, 100, 0]);
  expect(roundRange([0.8, 1.25, 0.26])).toEqual([0.2, 2]);
  const up = logarithmic([1, 100], [0, 10]);
  expect([up(1), up(10), up(100), up(0)]).toEqual([0, 5, 10, 0]);
  expect(up.ticks).toEqual([1, 2, 5, 10, 20, 50, 100]);
});
