// The log of a supervised process: DATA_DIR/logs/<id>.log, and the 10 MB before it as <id>.log.1.
// The process holds the file open, so turning over copies and cuts; a line or two may be lost in between.
import {
  closeSync,
  copyFileSync,
  existsSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';

const MAX_LOG_BYTES = 10 * 1024 * 1024;

export function logPath(dataDir: string, id: string): string {
  return join(dataDir, 'logs', `${id}.log`);
}

/** Opens it for appending; the file descriptor is the caller's to close. */
export function openLog(dataDir: string, id: string): number {
  mkdirSync(join(dataDir, 'logs'), { recursive: true, mode: 0o700 });
  turnOver(dataDir, id);
  return openSync(logPath(dataDir, id), 'a', 0o600);
}

/** Starts it anew when it has grown beyond 10 MB. */
export function turnOver(dataDir: string, id: string): void {
  const path = logPath(dataDir, id);
  if (!existsSync(path) || statSync(path).size < MAX_LOG_BYTES) return;
  copyFileSync(path, `${path}.1`);
  truncateSync(path);
}

/**
 * What a process said of its own end, cut to 300 characters: its last line, if that is of its end. Words that are no line of
 * the log (what Node prints as it dies) and a fatal line are; what it logged of its work before is not.
 * @param starting it had not come to work: whatever it said last is why.
 */
export function lastWords(dataDir: string, id: string, starting: boolean): string | undefined {
  const line = lastLine(dataDir, id);
  if (line === undefined || !(starting || isOfItsEnd(line))) return undefined;
  return messageOf(line).slice(0, 300);
}

/** Its last line that says something. */
function lastLine(dataDir: string, id: string): string | undefined {
  const path = logPath(dataDir, id);
  if (!existsSync(path)) return undefined;
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const tail = Buffer.alloc(Math.min(size, 4096));
    readSync(file, tail, 0, tail.length, size - tail.length);
    return tail.toString('utf8').trim().split('\n').at(-1) || undefined;
  } finally {
    closeSync(file);
  }
}

const FATAL = 60;

function isOfItsEnd(line: string): boolean {
  try {
    return (JSON.parse(line) as { level?: number }).level === FATAL;
  } catch {
    return true;
  }
}

/** The message of a JSON log line; any other line as it is. */
function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
    return [msg, err?.message].filter(Boolean).join(': ') || line;
  } catch {
    return line;
  }
}
