// npm as a program of its own: the one that runs this script, else the one on the PATH. Plain JavaScript, so that it
// needs nothing installed.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * Answers how it ended and what it said.
 * @param {readonly string[]} args
 * @param {number} timeoutMs it is ended then
 * @returns {Promise<{ code: number | null, output: string, errors: string }>}
 */
export async function npm(args, timeoutMs) {
  const own = process.env.npm_execpath;
  const [program, ...before] = own?.endsWith('.js') ? [process.execPath, own] : ['npm'];
  const child = spawn(program, [...before, ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    shell: process.platform === 'win32' && program === 'npm',
  });
  const said = { output: '', errors: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.errors += text));
  const [code] = await once(child, 'close');
  return { code, ...said };
}
