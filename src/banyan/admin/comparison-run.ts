// One comparison while this host runs it: the tool's process, its words and its end, as the row says. Guarantees: it ends when
// somebody wants it ended, when the row is no longer this host's, and when the host stops; a report is in the row, so that every
// host has it. What a host that was killed left is ended by whoever looks next.
import { existsSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Logger } from 'pino';
import { identify, signal } from '../context/process.ts';
import type { ComparisonRow, ComparisonRows, Ending, Line } from './comparison-rows.ts';
import { type ComparisonTool, inOneLine, onLines, spawnTool, wordsOf } from './comparison-tool.ts';

const KEEP_MS = 1_000;
const MOST_LINES = 60;
/** A comparison that is told to end has processes and folders of its own to end. */
const GRACE_MS = 30_000;
/** Of a report, before it is packed. */
const MOST_BYTES = 64 * 1024 * 1024;

export interface Runs {
  begin(row: ComparisonRow): void;
  /** Ends what is left of those that no host looks after. */
  bury(): Promise<void>;
  close(): Promise<void>;
}

export function createRuns(tool: ComparisonTool, rows: ComparisonRows, dataDir: string, log: Logger): Runs {
  const runs = new Set<Run>();
  return {
    begin(row) {
      const run = new Run(row, tool, rows, folderFor(dataDir, row), log);
      runs.add(run);
      void run.over.finally(() => runs.delete(run));
    },
    async bury() {
      for (const { machine, pid, started, id } of await rows.bury()) {
        const left = machine !== null && pid !== null && started !== null && { machine, pid, started };
        if (left && signal(left, 'SIGTERM'))
          log.warn({ comparison: id, pid }, 'a comparison that nobody looked after was ended');
      }
    },
    async close() {
      await Promise.all([...runs].map((run) => run.stop()));
    },
  };
}

/** Beside those of the command line, where there is a folder of that kind. */
function folderFor(dataDir: string, { startedAt }: ComparisonRow): string {
  if (!existsSync(dataDir)) return mkdtempSync(join(tmpdir(), 'banyan-compare-'));
  const folder = join(dataDir, 'compare', startedAt.slice(0, 19).replaceAll(':', '-'));
  mkdirSync(folder, { recursive: true });
  return folder;
}

class Run {
  readonly over: Promise<void>;
  readonly #row: ComparisonRow;
  readonly #rows: ComparisonRows;
  readonly #folder: string;
  readonly #log: Logger;
  readonly #child: ReturnType<typeof spawnTool>;
  readonly #timer: NodeJS.Timeout;
  #lines: Line[] = [];
  #said = '';
  /** Why it was told to end. */
  #ending: Ending | undefined;
  #killing: NodeJS.Timeout | undefined;

  constructor(row: ComparisonRow, tool: ComparisonTool, rows: ComparisonRows, folder: string, log: Logger) {
    [this.#row, this.#rows, this.#folder, this.#log] = [row, rows, folder, log];
    this.#child = spawnTool(tool, [...wordsOf(row.asked), '--out', folder]);
    const { stdout, stderr } = this.#child;
    // The picture for a terminal is for nobody here.
    stdout!.resume();
    onLines(stderr!, (text) => {
      this.#said = `${this.#said}\n${text}`.slice(-2_000);
      this.#lines = [...this.#lines, { at: new Date().toISOString(), text }].slice(-MOST_LINES);
    });
    const ended = new Promise<number | null>((resolve) => {
      this.#child.once('close', (code) => resolve(code));
      this.#child.once('error', ({ message }) => {
        this.#said = message;
        resolve(null);
      });
    });
    this.#timer = setInterval(() => void this.#keep(), KEEP_MS);
    this.over = ended
      .then((code) => this.#end(code))
      .catch((error: unknown) => {
        log.error({ err: error, comparison: row.id }, 'the end of a comparison could not be written down');
      });
    void this.#keep();
  }

  /** The host stops: the row says so at once, and the process has its time. */
  async stop(): Promise<void> {
    const finding = 'The host that ran it stopped. Nothing was measured.';
    await this.#quit({ state: 'lost', finding });
    await this.#rows.end(this.#row.id, this.#lines, { state: 'lost', finding });
    await this.over;
  }

  async #keep(): Promise<void> {
    const { pid } = this.#child;
    const process = pid === undefined ? undefined : identify(pid);
    try {
      const row = await this.#rows.keep(this.#row.id, this.#lines, process);
      if (!row) await this.#quit({ state: 'lost', finding: 'Nobody wants it any more.' });
      else if (row.unwanted)
        await this.#quit({ state: 'cancelled', finding: 'It was cancelled. Nothing was measured.' });
    } catch (error) {
      this.#log.debug({ err: error }, 'a comparison could not be kept');
    }
  }

  async #quit(ending: Ending): Promise<void> {
    if (this.#ending) return;
    this.#ending = ending;
    this.#child.kill('SIGTERM');
    this.#killing = setTimeout(() => this.#child.kill('SIGKILL'), GRACE_MS).unref();
  }

  async #end(code: number | null): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#killing);
    const ending = this.#ending ?? (code === 0 ? await this.#reported() : this.#failed());
    await this.#rows.end(this.#row.id, this.#lines, ending);
    this.#log.info({ comparison: this.#row.id, state: ending.state }, 'a comparison is over');
  }

  /** What it said last that is no step of its work. */
  #failed(): Ending {
    const words = this.#lines.map(({ text }) => text).filter((text) => !/^[a-z][\w-]*: /.test(text));
    const said = inOneLine(words.slice(-4).join('\n') || this.#said);
    return { state: 'failed', finding: said.slice(0, 1_000) || 'It ended without a word.' };
  }

  async #reported(): Promise<Ending> {
    try {
      const [json, page] = ['report.json', 'report.html'].map((name) =>
        readFileSync(join(this.#folder, name)),
      );
      if (json!.length + page!.length > MOST_BYTES) throw new Error('it is too long to be kept');
      const { finding } = JSON.parse(json!.toString()) as { finding?: unknown };
      const [report, packed] = await Promise.all([json!, page!].map((one) => promisify(gzip)(one)));
      return {
        state: 'done',
        finding: typeof finding === 'string' ? finding : 'It measured.',
        report: report!,
        page: packed!,
      };
    } catch (error) {
      return { state: 'failed', finding: `Its report could not be read: ${(error as Error).message}` };
    }
  }
}
