#!/usr/bin/env node
// `npx banyan`: finds the Node that was installed with the clone and runs the command line's client on it.
// Plain JavaScript, so that any Node can say what is missing.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, 'node_modules', '.bin', 'node');

if (!existsSync(node)) {
  process.stderr.write(
    'banyan is not installed here yet: run `npm start` first (it installs what is missing).\n',
  );
  process.exit(1);
}

const child = spawn(
  node,
  ['--disable-warning=ExperimentalWarning', join(root, 'src', 'cli', 'main.ts'), ...process.argv.slice(2)],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) process.kill(process.pid, signal);
  process.exit(code ?? 1);
});
