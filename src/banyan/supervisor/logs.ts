// The last lines of the logs of service processes, from the files that their supervisor has them write (DATA_DIR/logs). Reads
// the end of each file alone, however long it is.
import { open, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Handlers } from '../contract/handlers.ts';
import { problem } from '../contract/problem.ts';
import { logs } from './logs-contract.ts';

const MOST_BYTES = 512 * 1024;
const DEFAULT_LINES = 200;

export function logsHandlers(dataDir: string): Handlers<typeof logs> {
  const folder = join(dataDir, 'logs');
  return {
    show: async ({ module, lines = DEFAULT_LINES }) => {
      const files = (await readdir(folder).catch(() => [])).filter((name) => isOf(name, module));
      if (files.length === 0)
        throw problem(logs, 'no-logs', {
          detail: `No process of ${module} has written anything on this machine. While a module is in-process, its log is the monolith's own output.`,
        });
      const items = files
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .map(async (name) => ({
          process: basename(name, '.log'),
          lines: (await endOf(join(folder, name))).slice(-lines),
        }));
      return { items: await Promise.all(items) };
    },
  };
}

function isOf(file: string, module: string): boolean {
  if (!file.endsWith('.log')) return false;
  const id = basename(file, '.log');
  return id === module || id.replace(/-\d+$/, '') === module;
}

/** Whole lines; the first may be one that began before. */
async function endOf(path: string): Promise<string[]> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - MOST_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n');
    if (from > 0) lines.shift();
    lines.pop();
    return lines;
  } finally {
    await file.close();
  }
}
