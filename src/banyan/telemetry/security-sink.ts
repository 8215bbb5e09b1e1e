// Where lines of the security log go: a file of mode 0600, turned over at 10 MB with four before it kept, or a stream of
// the process. Guarantees: a write throws nothing; where no file can be made lines go to stderr instead; what could not be
// written at all is counted, said once in the host's log, and said in the file as soon as it takes lines again.
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';

export interface Sink {
  write(line: string): void;
  close(): void;
}

const MAX_BYTES = 10 * 1024 * 1024;
const KEPT = 4;
/** A file that cannot be opened is tried again so often. */
const AGAIN_MS = 1_000;

interface SinkOptions {
  readonly maxBytes?: number;
  /** Where lines go when no file can be made. */
  readonly otherwise?: Sink;
}

/** @param to `stdout`, `stderr`, or the path of a file. */
export function openSink(
  to: string,
  log: Pick<Logger, 'error' | 'info'>,
  { maxBytes = MAX_BYTES, otherwise = streamOf('stderr') }: SinkOptions = {},
): Sink {
  if (to === 'stdout' || to === 'stderr') return new Guarded(streamOf(to), to, log);
  return new Guarded(new TurningFile(to, maxBytes), to, log, otherwise);
}

/** Of the descriptor itself: an error of a stream object would end the process. */
function streamOf(to: 'stdout' | 'stderr'): Sink {
  const descriptor = to === 'stdout' ? 1 : 2;
  return { write: (line) => void writeSync(descriptor, line), close() {} };
}

/** Made with the first line: a host about which nothing is said needs no folder. */
class TurningFile implements Sink {
  readonly #path: string;
  readonly #maxBytes: number;
  #file: number | undefined;
  #bytes = 0;
  #broken = false;
  #failed: { readonly error: unknown; readonly until: number } | undefined;

  constructor(path: string, maxBytes: number) {
    this.#path = path;
    this.#maxBytes = maxBytes;
  }

  write(line: string): void {
    if (this.#file === undefined) this.#open();
    if (this.#bytes >= this.#maxBytes) this.#turnOver();
    // A disk that fills up takes a part of a line: the next one begins anew.
    const bytes = Buffer.from(this.#broken ? `\n${line}` : line);
    const written = writeSync(this.#file!, bytes);
    this.#bytes += written;
    this.#broken = written > 0 && written < bytes.length;
    if (written < bytes.length) throw new Error('the disk took a part of a line alone');
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): void {
    if (this.#failed && Date.now() < this.#failed.until) throw this.#failed.error;
    try {
      mkdirSync(dirname(this.#path), { recursive: true, mode: 0o711 });
      this.#file = openSync(this.#path, 'a', 0o600);
      this.#bytes = fstatSync(this.#file).size;
      this.#failed = undefined;
    } catch (error) {
      this.#failed = { error, until: Date.now() + AGAIN_MS };
      throw error;
    }
  }

  /** Another process may write the same file, and have turned it over: then only ours is the old one. */
  #turnOver(): void {
    const ours = fstatSync(this.#file!).ino === statSync(this.#path, { throwIfNoEntry: false })?.ino;
    if (ours) {
      for (let n = KEPT - 1; n >= 1; n -= 1) moveIfThere(`${this.#path}.${n}`, `${this.#path}.${n + 1}`);
      renameSync(this.#path, `${this.#path}.1`);
    }
    this.close();
    this.#open();
  }
}

function moveIfThere(from: string, to: string): void {
  if (statSync(from, { throwIfNoEntry: false })) renameSync(from, to);
}

class Guarded implements Sink {
  readonly #sink: Sink;
  readonly #to: string;
  readonly #log: Pick<Logger, 'error' | 'info'>;
  readonly #otherwise: Sink | undefined;
  #elsewhere = false;
  #lost = 0;

  constructor(sink: Sink, to: string, log: Pick<Logger, 'error' | 'info'>, otherwise?: Sink) {
    this.#sink = sink;
    this.#otherwise = otherwise;
    this.#to = to;
    this.#log = log;
  }

  write(line: string): void {
    try {
      if (this.#lost > 0) this.#sink.write(lostLine(this.#lost));
      this.#sink.write(line);
    } catch (error) {
      if (this.#wroteElsewhere(error, line)) return;
      this.#lost += 1;
      if (this.#lost === 1)
        this.#log.error(
          { to: this.#to, reason: (error as Error).message },
          'the security log cannot be written: make room, or set SECURITY_LOG to where this host may write',
        );
      return;
    }
    if (this.#lost > 0)
      this.#log.info({ to: this.#to, lost: this.#lost }, 'the security log is written again');
    this.#lost = 0;
  }

  /** A host whose folder is read-only, or another's, keeps nothing on disk: its lines go to whoever takes its output. */
  #wroteElsewhere(error: unknown, line: string): boolean {
    const { code } = error as NodeJS.ErrnoException;
    if (!this.#otherwise || !/^(EROFS|EACCES|EPERM|ENOENT|ENOTDIR|EEXIST)$/.test(code ?? '')) return false;
    try {
      this.#otherwise.write(line);
    } catch {
      return false;
    }
    if (!this.#elsewhere)
      this.#log.info({ to: this.#to, code }, 'the security log goes to stderr: no file can be made there');
    this.#elsewhere = true;
    return true;
  }

  close(): void {
    try {
      this.#sink.close();
    } catch {
      // Closed is closed.
    }
  }
}

function lostLine(lost: number): string {
  return `${JSON.stringify({ time: new Date().toISOString(), log: 'security', event: 'log.lost', outcome: 'failed', leftOut: lost })}\n`;
}
