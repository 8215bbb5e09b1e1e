// What `npm run …` starts ends with npm, however npm ends, and leaves no process and no server: real npm, real hosts. It
// is known by a TMPDIR and a DATA_DIR of its own, which every process of a start has in its environment or its words.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  globSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { missingForBroker } from '../src/banyan/events/testing/broker.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
let folder: string;
let output: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'banyan-npm-'));
  // Root's PostgreSQL is another user.
  chmodSync(folder, 0o711);
  output = '';
});
afterEach(() => {
  for (const { pid } of left()) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const npm = (...words: string[]) => start('npm', 'run', ...words);

function start(command: string, ...words: string[]): ChildProcess {
  const child = spawn(command, words, {
    cwd: root,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: folder, DATA_DIR: folder, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  return child;
}

/** Processes of this folder that run still (Linux). */
function left(): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const all = command + readFileSync(`/proc/${name}/environ`, 'utf8');
        // A zombie has no words.
        return command !== '' && all.includes(folder) ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
}

/** Waits until it is there; who ended before fails at once, with its words, such as that there is no such file. */
async function seen(child: ChildProcess, what: RegExp | (() => boolean)): Promise<void> {
  const is = () => (typeof what === 'function' ? what() : what.test(output));
  const over = () => child.exitCode !== null || child.signalCode !== null;
  let state = 'not yet';
  const look = () => {
    state = is() ? 'seen' : over() ? 'ended before' : 'not yet';
    return state;
  };
  await expect.poll(look, { timeout: 60_000, interval: 50 }).not.toBe('not yet');
  expect(state, output).toBe('seen');
}
const nothingLeft = async () => {
  await expect.poll(left, { timeout: 20_000, interval: 100 }).toEqual([]);
  expect(globSync('**/*.pid', { cwd: folder })).toEqual([]);
};
const ended = async (child: ChildProcess): Promise<unknown> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ?? child.exitCode;
};

const noBroker = await missingForBroker(join(root, 'node_modules/.cache/kafka'));

describe.runIf(process.platform === 'linux')('what npm started ends with it', () => {
  const up = () => existsSync(join(folder, 'instance.json'));

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'npm start, %s: npm waits for its host, and ends with 0',
    async (signal) => {
      const child = npm('start');
      await seen(child, up);
      child.kill(signal);
      expect(await ended(child)).toBe(0);
      expect(left()).toEqual([]);
      await nothingLeft();
    },
  );

  // npm passes neither on.
  test.each(['SIGKILL', 'SIGHUP'] as const)(
    'npm start, %s: the host sees that npm is gone',
    async (signal) => {
      const child = npm('start');
      await seen(child, up);
      child.kill(signal);
      expect(await ended(child)).toBe(signal);
      await nothingLeft();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)('npx banyan, %s: a shell stays in between', async (signal) => {
    const child = start('npx', 'banyan', 'compare', '--quick', '--out', join(folder, 'report'));
    await seen(child, /prepare: /);
    child.kill(signal);
    expect(await ended(child)).toBe(signal);
    await nothingLeft();
  });

  test.each([0, 1, 2])(
    'npm start, told to end while it begins: step %i of setup, host, database',
    async (step) => {
      const steps = [
        /setup\.mjs/,
        /src\/main\.ts/,
        () => existsSync(join(folder, 'postgres-password')),
      ] as const;
      const child = npm('start');
      await seen(child, steps[step]!);
      child.kill('SIGTERM');
      await ended(child);
      await nothingLeft();
    },
  );

  test('what begins when npm is gone already ends at once', async () => {
    const code = `require('node:fs').writeFileSync('${folder}/began', ''); setInterval(() => {}, 1000)`;
    const node = `node --import ./scripts/with-npm.mjs -e "${code}"`;
    const wait = `while [ ! -e ${folder}/go ]; do sleep 0.05; done`;
    const shell = start('sh', '-c', `(${wait}; npm_lifecycle_event=start exec ${node}) & true`);
    await ended(shell);
    writeFileSync(join(folder, 'go'), '');
    await nothingLeft();
    expect(existsSync(join(folder, 'began'))).toBe(false);
  });

  test('a suite with its servers and hosts', async () => {
    const child = npm('test', '--', 'src/modules/catalog');
    await seen(child, () =>
      left().some(({ command }) => /node .*forks|vitest.*worker|src\/main\.ts/.test(command)),
    );
    child.kill('SIGTERM');
    expect(await ended(child)).not.toBe(0);
    await nothingLeft();
  });

  // As of a terminal, or of who ends a whole job. In the order that is the worst: the workers are told first, and vitest
  // itself no longer finds by their parent what they have left.
  test.each(['SIGTERM', 'SIGINT'] as const)('a suite with a server of its own, %s to all', async (signal) => {
    const child = npm('test', '--', 'src/banyan/postgres/corked-socket.test.ts');
    const pids = (what: RegExp) =>
      left()
        .filter(({ command }) => what.test(command))
        .map(({ pid }) => pid);
    const server = /bin\/postgres -D \S*\/banyan-events-/;
    await seen(child, () => pids(server).length > 0);
    for (const pid of pids(/vitest\S*\/workers\/forks/)) process.kill(pid, signal);
    for (const pid of pids(/vitest\.mjs run/)) process.kill(pid, signal);
    child.kill(signal);
    expect(await ended(child)).not.toBe(0);
    await expect.poll(left, { timeout: 20_000, interval: 100 }).toEqual([]);
  });

  test.skipIf(noBroker)('a broker that runs, and one that only starts', async () => {
    const running = npm('kafka', '--', '--port', '0');
    await seen(running, /BROKER_URL=/);
    running.kill('SIGTERM');
    expect(await ended(running)).toBe(0);
    await nothingLeft();
    const starting = npm('kafka', '--', '--port', '0');
    await seen(starting, () => left().some(({ command }) => command.startsWith('java ')));
    starting.kill('SIGTERM');
    expect(await ended(starting)).toBe(130);
    await nothingLeft();
  });

  test('a script with a server of its own', async () => {
    const child = npm('migration', '--', '--check');
    await seen(child, () => left().some(({ command }) => /bin\/postgres /.test(command)));
    child.kill('SIGTERM');
    expect(await ended(child)).toBe('SIGTERM');
    await nothingLeft();
  });
});

test('words after -- arrive, output is shown, and the exit code is the script’s', async () => {
  expect(await ended(npm('start', '--', '--help'))).toBe(0);
  expect(output).toContain('npm start');
  output = '';
  expect(await ended(npm('kafka', '--', '--port', 'x'))).toBe(2);
  expect(output).toContain('--port is a whole number');
});
