// What is an alarm, held against what it is about: every part that can fail alone has one, and each is whole: a severity, numbers
// that exist, a runbook that begins with a command, a case of promtool, and a fault that is struck for it. Without a Prometheus.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FAULTS, NOT_STRUCK } from './rehearse/alarms/faults.ts';
import { RULES, readAlarms, readExpressions, scaledRules } from './rehearse/alarms/rules.ts';
import { runbookOf } from './rehearse/alarms/runbook.ts';

const page = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');
const chapter = (path: string, heading: string) =>
  page(path).split(`\n## ${heading}\n`)[1]!.split(/\n## /)[0]!;
const namedIn = (text: string) => new Set(text.match(/\bBanyan[A-Z][a-zA-Z]+\b/g));

const alarms = readAlarms();
const names = [...new Set(alarms.map(({ name }) => name))];
const cells = (line: string) => line.split(/(?<!\\)\|/).slice(1, -1);
const rows = (text: string) => text.split('\n').filter((line) => /^\| (?!-)/.test(line));

test('every row of what can fail alone names alarms that there are, and every alarm is named', () => {
  const text = chapter('ARCHITECTURE.md', 'What can fail alone');
  const [, ...parts] = rows(text);
  expect(parts.length).toBeGreaterThan(0);
  for (const row of parts) {
    const [part, , alarm] = cells(row);
    const named = [...namedIn(alarm!)];
    expect(named, part).not.toEqual([]);
    for (const name of named) expect(names, part).toContain(name);
  }
  expect([...namedIn(text)].sort()).toEqual([...names].sort());
});

test.each(alarms)('$name ($severity) has what somebody needs who is told of it', ({ name, ...alarm }) => {
  expect(['page', 'ticket']).toContain(alarm.severity);
  expect(alarm.summary).not.toBe('');
  const runbook = runbookOf(alarm.runbook);
  expect(runbook, alarm.runbook).toBeDefined();
  expect(runbook!.command).toMatch(/^(npx banyan|curl) /);
  expect([...namedIn(runbook!.text)]).toContain(name);
});

test('every alarm has a case of promtool in which it fires', () => {
  const cases = readdirSync(new URL('tests/', RULES))
    .map((file) => readFileSync(new URL(`tests/${file}`, RULES), 'utf8'))
    .join('\n');
  for (const name of names)
    expect(cases, name).toMatch(
      new RegExp(
        `alertname: ${name}\\n\\s+exp_alerts:\\n\\s+- exp_labels|ALERTS\\{alertname="${name}"[^\\n]*\\n\\s+value: 1`,
      ),
    );
});

test('every alarm has a fault that is struck for it, or says why not', () => {
  const struck = new Set(FAULTS.flatMap((fault) => fault.alarms.map(({ alarm }) => alarm)));
  expect([...struck, ...Object.keys(NOT_STRUCK)].sort()).toEqual([...names].sort());
  expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length);
});

test('what they are made of is measured: each number is in the documentation', () => {
  const documented = page('docs/observability.md');
  const own = /^(banyan|notifications|payments|media|http|rpc)_/;
  const used = new Set(
    readExpressions().flatMap((expr) => expr.replace(/"[^"]*"/g, '').match(/\b[a-z]+_[a-z_]+\b/g) ?? []),
  );
  const numbers = [...used].filter((name) => own.test(name)).map((name) => name.replace(/_count$/, ''));
  expect(numbers.length).toBeGreaterThan(20);
  for (const name of numbers) expect(documented).toContain(`\`${name}\``);
});

test('what is not told beside another is an alarm that there is', () => {
  const inhibited = [...namedIn(page('deploy/observability/alertmanager/alertmanager.yml'))];
  expect(inhibited.length).toBeGreaterThan(5);
  for (const name of inhibited) expect(names).toContain(name);
});

test('divided times are all of them, and nothing else', () => {
  const text = scaledRules('alerts.yml', 10);
  expect(text).toMatch(/\n {8}for: 3000ms\n/);
  expect(text).toContain('banyan_shed_total[12000ms]');
  expect(text).toContain('offset 360000ms');
  expect(text).not.toMatch(/(for: |\[|offset )\d+[smhd]\b/);
  expect(text.split('\n').length).toBe(scaledRules('alerts.yml', 1).split('\n').length);
  expect(text).toContain('> 60\n');
});
