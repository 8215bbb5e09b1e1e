// Programs of the stack that may be on this machine: the collector and Jaeger, started with the configuration that is delivered, on
// ports of their own. Guarantee: after `stop` they are gone, with what they kept.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { foundProgram } from '../program.ts';

export type Program = 'otelcol-contrib' | 'jaeger';

/** Where it is: in the folder STACK_BIN, else on the PATH. */
export const programOf = (name: Program): string | undefined => foundProgram(name, 'STACK_BIN');

export const missing = (name: Program): string =>
  `no ${name} here: name the folder of the programs in STACK_BIN`;

export interface Running {
  /** All that it has said so far, on both streams. */
  said(): string;
  stop(): Promise<void>;
}

/** @param answers whether it does what it is for: throws while it does not. */
export async function startProgram(
  name: Program,
  words: readonly string[],
  env: Readonly<Record<string, string>>,
  answers: () => Promise<unknown>,
): Promise<Running> {
  const child = spawn(programOf(name)!, words, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  for (const deadline = Date.now() + 20_000; ; ) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode}:\n${said}`);
    const failed = await answers().then(
      () => undefined,
      (error) => error,
    );
    if (failed === undefined) return { said: () => said, stop };
    if (Date.now() > deadline) {
      await stop();
      throw new Error(`${name} does not answer: ${failed}\n${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** What the collector says of a configuration; throws where it does not take it. */
export async function validated(config: string): Promise<void> {
  await promisify(execFile)(programOf('otelcol-contrib')!, ['validate', `--config=${config}`]).catch(
    ({ stdout, stderr }) => Promise.reject(new Error(`${stdout}${stderr}`)),
  );
}
