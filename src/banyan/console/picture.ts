// The picture that the console's page lives on, looked at once a second while somebody watches, and not at all else. It is
// made for all who watch at once. Guarantees: what cannot be read is said so and stands as it was last; one slow host or
// store holds up nobody.
import type { CountedFlip } from '../placement/history.ts';
import { Flips } from './flips.ts';
import { heardOf } from './heard.ts';
import type { ConsoleParts } from './parts.ts';
import { type Pieces, pictureOf } from './picture-of.ts';
import { Rates } from './rates.ts';
import type { Picture } from './shared/picture-shape.ts';
import { type PictureSources, pictureSources } from './sources.ts';
import { Starts } from './starts.ts';

export interface PictureSource {
  /** Calls back after each look, once a second, until it is stopped. Nothing is done while nobody watches. */
  watch(onChange: () => void): () => void;
  /** The present one, at most some seconds old. Whoever asks now and then keeps it alive a while. */
  now(): Promise<Picture>;
  /** The last seconds of a module, oldest first. */
  series(
    module: string,
    seconds: number,
  ): { readonly at: number; readonly row: readonly (number | null)[] }[];
  /** How often hosts were asked since the start. */
  readonly looks: number;
  close(): void;
}

/** How often it looks, in milliseconds. */
export interface Intervals {
  readonly lookMs: number;
  /** The stores of modules are asked for events and sagas seldom: it costs them several statements each. */
  readonly eventsMs: number;
  readonly storesMs: number;
  /** It goes on for so long: a page that loads again finds the numbers of before. */
  readonly lingerMs: number;
  /** Whoever polls comes every 5 s. */
  readonly polledMs: number;
  /** What failed as a flip's last effect is counted a little later. */
  readonly settlesMs: number;
}

const INTERVALS: Intervals = {
  lookMs: 1_000,
  eventsMs: 3_000,
  storesMs: 2_000,
  lingerMs: 3_000,
  polledMs: 8_000,
  settlesMs: 3_000,
};

export function createPicture(
  parts: Pick<ConsoleParts, 'host' | 'own' | 'store' | 'tokens' | 'metrics' | 'log'>,
): PictureSource {
  return new Looking(pictureSources(parts), (error, what) =>
    parts.log.debug({ err: error, what }, 'a part of the picture could not be read'),
  );
}

export class Looking implements PictureSource {
  looks = 0;
  readonly #sources: PictureSources;
  readonly #failed: (error: unknown, what: string) => void;
  readonly #watchers = new Set<{ readonly onChange: () => void }>();
  readonly #rates = new Rates();
  readonly #flips: Flips;
  readonly #starts = new Starts();
  readonly #every: Intervals;
  readonly #missing = new Map<string, string>();
  readonly #asked = new Map<string, number>();
  /** What flips came to, until it is kept. */
  #counted: CountedFlip[] = [];
  #known: Partial<Pieces> = {};
  #picture: Picture | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Until when it looks though nobody watches; milliseconds of performance.now(). */
  #until = 0;
  #closed = false;

  constructor(
    sources: PictureSources,
    failed: (error: unknown, what: string) => void,
    intervals = INTERVALS,
  ) {
    this.#sources = sources;
    this.#failed = failed;
    this.#every = intervals;
    this.#flips = new Flips(intervals.settlesMs);
  }

  watch(onChange: () => void): () => void {
    const watcher = { onChange };
    this.#watchers.add(watcher);
    this.#wake();
    return () => {
      if (this.#watchers.delete(watcher))
        this.#until = Math.max(this.#until, performance.now() + this.#every.lingerMs);
    };
  }

  async now(): Promise<Picture> {
    if (this.#watchers.size === 0)
      this.#until = Math.max(this.#until, performance.now() + this.#every.polledMs);
    this.#wake();
    if (!this.#picture) await this.#running;
    return this.#picture!;
  }

  series(module: string, seconds: number): ReturnType<PictureSource['series']> {
    return this.#rates.series(module)?.last(seconds) ?? [];
  }

  close(): void {
    this.#closed = true;
    this.#watchers.clear();
    clearTimeout(this.#timer);
  }

  #isWanted(): boolean {
    return !this.#closed && (this.#watchers.size > 0 || performance.now() < this.#until);
  }

  #wake(): void {
    if (!this.#running && !this.#timer) this.#begin();
  }

  #begin(): void {
    const begun = performance.now();
    this.#timer = undefined;
    this.#running = this.#look()
      .catch((error) => this.#failed(error, 'picture'))
      .finally(() => {
        this.#running = undefined;
        if (!this.#isWanted()) return this.#rest();
        const wait = Math.max(5, this.#every.lookMs - (performance.now() - begun));
        this.#timer = setTimeout(() => this.#begin(), wait).unref();
      });
  }

  /** What comes after a rest is of another time. */
  #rest(): void {
    this.#picture = undefined;
    this.#rates.forget();
    this.#flips.forget();
    this.#asked.clear();
  }

  async #look(): Promise<void> {
    this.looks += 1;
    const sources = this.#sources;
    const tables = await this.#read('hosts', () => sources.tables());
    if (tables) this.#keep({ tables, starting: this.#starts.look(Date.now(), tables.hosts) });
    if (!this.#known.tables) {
      this.#tell(pictureOf({ missing: Object.fromEntries(this.#missing) }, this.#rates, this.#flips));
      return;
    }
    const counts = await sources.counts(this.#known.tables);
    this.#rates.add(counts);
    this.#rates.only(new Set(this.#known.tables.hosts.map(({ host }) => host)));
    this.#keep({ hosts: heardOf(this.#known.hosts, counts, this.#known.tables.hosts) });
    const [overview, transfers] = await Promise.all([
      this.#read('placements', () => sources.overview()),
      this.#read('transfers', () => sources.transfers()),
      this.#seldom('events', this.#every.eventsMs, async () => {
        this.#keep({ events: await sources.events() });
      }),
      this.#seldom('sagas', this.#every.eventsMs, async () => {
        this.#keep({ stuck: await sources.stuck() });
      }),
      this.#seldom('stores', this.#every.storesMs, async () => {
        this.#keep({ stores: await sources.stores() });
      }),
    ]);
    if (transfers) this.#keep({ transfers });
    if (overview) {
      this.#keep({ overview });
      this.#flips.look(Date.now(), overview, this.#known.tables.hosts, this.#rates);
      this.#counted.push(...this.#flips.takeCounted());
      await this.#keepCounts();
    }
    const missing = Object.fromEntries(this.#missing);
    this.#tell(pictureOf({ ...this.#known, missing }, this.#rates, this.#flips));
  }

  /** What the store does not take now is offered again with the next look. */
  async #keepCounts(): Promise<void> {
    const open = this.#counted;
    this.#counted = [];
    for (const one of open)
      await this.#sources.keepCount(one).catch((error) => {
        this.#failed(error, 'count');
        this.#counted.push(one);
      });
  }

  #keep(pieces: Partial<Pieces>): void {
    this.#known = { ...this.#known, ...pieces };
  }

  #tell(next: Picture): void {
    this.#picture = next;
    for (const { onChange } of [...this.#watchers]) onChange();
  }

  async #read<T>(what: string, ask: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await ask();
      this.#missing.delete(what);
      return answer;
    } catch (error) {
      this.#failed(error, what);
      this.#missing.set(what, (error as Error).message);
      return undefined;
    }
  }

  /** Beside the look: what is slow comes with a later picture. */
  async #seldom(what: string, everyMs: number, ask: () => Promise<void>): Promise<void> {
    const now = performance.now();
    if (now < (this.#asked.get(what) ?? 0)) return;
    // Until it has answered nobody asks again.
    this.#asked.set(what, Number.POSITIVE_INFINITY);
    const asked = this.#read(what, ask).then(() => {
      this.#asked.set(what, performance.now() + everyMs);
    });
    await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 200).unref())]);
  }
}
