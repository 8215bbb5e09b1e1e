// What whoever launches a process may rely on, tried with entries of a few lines.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { type Launch, type Launched, launch } from '../stage/launch.ts';

const folder = mkdtempSync(join(tmpdir(), 'banyan-launch-'));
const launched: Launched[] = [];
afterEach(async () => {
  await Promise.all(launched.splice(0).map((one) => one.kill()));
});

const entry = (script: string, options: Launch = {}): Launched => {
  writeFileSync(join(folder, 'entry.mjs'), script);
  const one = launch({ folder, entry: 'entry.mjs', ...options });
  launched.push(one);
  return one;
};
const stays = 'setInterval(() => {}, 1000);';
const greets = `console.log('  Banyan is up at http://127.0.0.1:81');${stays}`;
const announces = `import { writeFileSync } from 'node:fs';
  writeFileSync(process.env.DATA_DIR + '/instance.json', JSON.stringify({ url: 'http://here', pid: process.pid }));${stays}`;

test('is up where its instance file says, not that of another process', async () => {
  const file = join(folder, 'instance.json');
  writeFileSync(file, JSON.stringify({ url: 'http://there', pid: process.pid }));
  const one = await entry(announces, { env: { DATA_DIR: folder }, output: 'errors' }).up();
  expect(one.url).toBe('http://here');
  expect(one.readyMs).toBeGreaterThan(0);
  rmSync(file);
});

test('is up where it says in words', async () => {
  expect((await entry(greets).up()).url).toBe('http://127.0.0.1:81');
  const says = (output: string) => /^port (\d+)$/m.exec(output)?.[1];
  expect((await entry(`console.log('port 82');${stays}`, { says }).up()).url).toBe('82');
});

test('one that does not come up says why, also from its file', async () => {
  const why = `process.stderr.write('no room\\n', () => process.exit(1));`;
  await expect(entry(why).up()).rejects.toThrow(/did not start:\nno room$/);
  const file = join(folder, 'said.log');
  await expect(entry(why, { output: { file } }).up()).rejects.toThrow(/did not start:\nno room$/);
  expect(readFileSync(file, 'utf8')).toBe('no room\n');
  await expect(entry('').up()).rejects.toThrow(/It said nothing\.$/);
});

test('an abort is heard while it comes up, and leaves it running', async () => {
  const one = entry(stays);
  await expect(one.up(AbortSignal.timeout(20))).rejects.toThrow(/timeout/);
  expect(one.running).toBe(true);
});

test('has the environment that it is given, and no more of ours than it needs', async () => {
  vi.stubEnv('OF_OURS', '1');
  const one = entry(`console.log(Object.keys(process.env).sort().join())`, { env: { GIVEN: '1' } });
  expect(await one.ended).toBe(0);
  await expect.poll(() => one.output().trim()).toBe('GIVEN,HOME,PATH');
  vi.unstubAllEnvs();
});

test('ends in order, also when it stands still, and is killed with its group', async () => {
  const orderly = await entry(`process.on('SIGTERM', () => process.exit(3));${greets}`).up();
  orderly.child.kill('SIGSTOP');
  expect(await orderly.end()).toBe(3);
  expect(await orderly.end()).toBe(3);
  const group = await entry(
    `import { spawn } from 'node:child_process';
     console.log('port ' + spawn('sleep', ['60']).pid);${stays}`,
    { leads: true, says: (output) => /^port (\d+)$/m.exec(output)?.[1] },
  ).up();
  expect(await group.kill()).toBe('SIGKILL');
  // Ended, it is no process any more, or a zombie that init has yet to take.
  await expect.poll(() => stateOf(group.url)).toMatch(/^(gone|Z)$/);
});

test('its own fault is told on stderr with its last words; what somebody asked for is not', async () => {
  const told = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    const killed = await entry(greets).up();
    await killed.kill();
    const faulty = await entry(
      `process.once('SIGUSR2', () => { throw new Error('its fault') });${greets}`,
    ).up();
    faulty.child.kill('SIGUSR2');
    expect(await faulty.ended).toBe(1);
    await expect.poll(() => told.mock.calls.length).toBe(1);
    expect(told.mock.calls[0]![0]).toMatch(/^entry\.mjs ended with 1:\n[\s\S]*its fault/);
  } finally {
    told.mockRestore();
  }
});

function stateOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!;
  } catch {
    return 'gone';
  }
}
