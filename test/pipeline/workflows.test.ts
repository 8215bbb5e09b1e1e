// The workflows name nothing that is not there (a script of npm, a command of banyan with its options, a program, an action
// of ours), give nobody a right that a job does not need, and put nothing that a stranger wrote into a shell.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { banyan } from '../../bin/commands.ts';

const root = join(import.meta.dirname, '../..');
const folder = join(root, '.github/workflows');

interface Step {
  readonly run?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Job {
  readonly steps: readonly Step[];
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly 'timeout-minutes'?: number;
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const read = (path: string) => parse(readFileSync(path, 'utf8')) as unknown;
const workflows = readdirSync(folder).map((name) => [name, read(join(folder, name)) as Workflow] as const);
const actions = readdirSync(join(root, '.github/actions')).map(
  (name) => read(join(root, '.github/actions', name, 'action.yml')) as { runs: { steps: readonly Step[] } },
);
const steps = [
  ...workflows.flatMap(([, { jobs }]) => Object.values(jobs).flatMap((job) => job.steps)),
  ...actions.flatMap(({ runs }) => runs.steps),
];
const runs = steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
const uses = steps.flatMap((step) => (step.uses === undefined ? [] : [{ ...step, uses: step.uses }]));

async function helpOf(words: readonly string[]) {
  const said: string[] = [];
  const output = { isTerminal: false, write: (text: string) => void said.push(text) };
  const interrupted = new AbortController().signal;
  const code = await banyan([...words, '--help'], { env: {}, out: output, err: output, interrupted });
  return { code, out: said.join('') };
}

describe('what is named is there', () => {
  const scripts = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts as Record<
    string,
    string
  >;
  const named = runs.flatMap((run) => [...run.matchAll(/\bnpm (?:run (?:--silent )?([\w:]+)|(test)\b)/g)]);

  test('scripts of npm', () => {
    const names = named.map(([, name, own]) => name ?? own!);
    expect(names.length).toBeGreaterThan(0);
    expect(names.filter((name) => !(name in scripts))).toEqual([]);
  });

  const commands = runs.flatMap((run) =>
    [...run.matchAll(/\bnpx banyan ((?:[a-z]+ ?)+)([^\n]*)/g)].map(([, words, rest]) => ({
      words: words!.trim().split(' '),
      options: rest!.match(/(?<= )--[a-z-]+|^--[a-z-]+/g) ?? [],
    })),
  );
  test.each(commands)('banyan $words $options', async ({ words, options }) => {
    const { code, out } = await helpOf(words);
    expect(code).toBe(0);
    expect(out).toContain(`Usage: banyan ${words.join(' ')}`);
    for (const option of options) expect(out).toContain(option);
  });

  test('commands were found at all', () => {
    const found = new Set(commands.map(({ words }) => words.join(' ')));
    expect([...found]).toEqual(expect.arrayContaining(['affected', 'contract diff', 'compare diff']));
  });

  test('programs and files of the repository', () => {
    const files = runs.flatMap((run) => run.match(/(?<![\w/])(\.ci\/\w+|vitest\.\w+\.config\.ts)/g) ?? []);
    files.push(
      ...runs.flatMap((run) => [...run.matchAll(/docker build -f (\S+)/g)].map(([, file]) => file!)),
    );
    files.push(...uses.flatMap(({ with: given }) => (typeof given?.file === 'string' ? [given.file] : [])));
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  });

  test('the jobs that a job waits for', () => {
    for (const [name, { jobs }] of workflows)
      for (const { needs = [] } of Object.values(jobs))
        for (const one of [needs].flat()) expect(Object.keys(jobs), name).toContain(one);
  });

  test('a job behind one that may be skipped, however far up, asks for the status itself: else it never runs', () => {
    const behind: string[] = [];
    for (const [name, { jobs }] of workflows) {
      const ancestors = (job: string): string[] =>
        [jobs[job]!.needs ?? []].flat().flatMap((one) => [one, ...ancestors(one)]);
      for (const [job, { if: condition = '' }] of Object.entries(jobs))
        if (ancestors(job).some((one) => jobs[one]!.if !== undefined)) {
          behind.push(job);
          expect(condition, `${name} ${job}`).toMatch(/\b(always|cancelled|failure)\(\)/);
        }
    }
    expect(behind).toEqual(['passed', 'publish']);
  });

  test('a job that says whether all passed waits for all that may fail before it', () => {
    const { jobs } = workflows.find(([name]) => name === 'ci.yml')![1];
    const before = Object.keys(jobs).filter(
      (name) => name !== 'passed' && ![jobs[name]!.needs ?? []].flat().includes('passed'),
    );
    expect([jobs.passed!.needs!].flat().sort()).toEqual(before.sort());
  });
});

describe('rights', () => {
  test.each(workflows)(
    '%s may read the repository, and a job what it says beyond that',
    (_name, workflow) => {
      expect(workflow.permissions).toEqual({ contents: 'read' });
      for (const [name, job] of Object.entries(workflow.jobs)) {
        expect(job['timeout-minutes'], name).toBeGreaterThan(0);
        const writes = Object.entries(job.permissions ?? {}).filter(([, right]) => right === 'write');
        const runsOurs = job.steps.some(
          ({ run = '', uses: action = '' }) => /\bnp[mx] /.test(run) || action.startsWith('./'),
        );
        // Whoever runs the code of a change holds no right to write.
        expect(writes.length > 0 && runsOurs, name).toBe(false);
      }
      expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
    },
  );

  test('no text of others stands in a shell: it comes as a variable', () => {
    expect(runs.filter((run) => run.includes('${{'))).toEqual([]);
  });

  test('no token is left behind in a checkout, and every action of others has a version', () => {
    for (const { uses: action, with: given } of uses) {
      if (action.startsWith('actions/checkout@')) expect(given?.['persist-credentials'], action).toBe(false);
      if (!action.startsWith('./')) expect(action).toMatch(/^[\w-]+\/[\w.-]+@(v\d+(\.\d+)*|[0-9a-f]{40})$/);
    }
  });

  test('an action of ours is there', () => {
    const own = uses.filter(({ uses: action }) => action.startsWith('./'));
    expect(own.length).toBeGreaterThan(0);
    for (const { uses: action } of own)
      expect(existsSync(join(root, action.replace(/^\.\/(change\/)?/, ''), 'action.yml')), action).toBe(true);
  });
});
