#!/usr/bin/env node
// `npx banyan`: runs the command line's client on the Node that was installed with the clone; installs first what
// a fresh clone lacks, as `npm start` does (a comparison needs no instance that runs). Ends when the npx that started
// it ends; started by hand it outlives its shell. Plain JavaScript, for any Node.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = join(root, 'node_modules', '.bin', 'node');
const client = join(root, 'bin', 'main.ts');

// npx says so to what it starts, and to that alone.
if (process.env.npm_lifecycle_event === 'npx') await import('../scripts/with-npm.mjs');

if (!isReady() && !setUp()) {
  process.exitCode = 1;
} else if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(pathToFileURL(client).href);
} else {
  runLocally();
}

function isReady() {
  const schemas = join(root, 'prisma');
  return (
    existsSync(node) &&
    readdirSync(schemas).every(
      (module) =>
        !existsSync(join(schemas, module, 'schema.prisma')) ||
        existsSync(join(schemas, module, 'client', 'client.ts')),
    )
  );
}

/** What it says goes to stderr: stdout is the command's. */
function setUp() {
  const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'setup.mjs')], {
    stdio: ['ignore', 2, 2],
  });
  return status === 0;
}

function runLocally() {
  const child = spawn(node, [client, ...process.argv.slice(2)], { stdio: 'inherit' });
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    // Ended as the child ended: by the same signal, or with the same code.
    for (const one of signals) process.removeAllListeners(one);
    if (signal) process.kill(process.pid, signal);
    else process.exit(code ?? 1);
  });
}
