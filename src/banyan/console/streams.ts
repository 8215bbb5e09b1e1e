// Who watches, and what they get: first the whole picture, then what changed, made once for all. Guarantees: nothing is looked
// at while nobody watches; whoever comes back with the id of what they had gets what they missed; who does not read, and whose
// session has ended, is let go. It knows nothing of how a stream was asked for.
import type { ServerResponse } from 'node:http';
import type { PictureSource } from './picture.ts';
import type { ConsoleSession, ConsoleSessions } from './session.ts';
import { deltaOf } from './shared/delta.ts';
import type { Picture } from './shared/picture-shape.ts';

const HEARTBEAT_MS = 15_000;
/** Changes that are kept for who comes back. */
const KEPT = 30;

export interface Stream {
  readonly response: ServerResponse;
  readonly session: ConsoleSession;
}

/** What all streams share while there is one. */
interface Watch {
  readonly first: Promise<Picture>;
  latest: { readonly id: number; readonly picture: Picture } | undefined;
  readonly kept: { readonly id: number; readonly text: string }[];
  looking: boolean;
  readonly stop: () => void;
}

export class Streams {
  readonly #source: PictureSource;
  readonly #sessions: ConsoleSessions;
  readonly #open = new Set<Stream>();
  /** Another watch counts anew: its ids are other ones. */
  #run = '';
  #watch: Watch | undefined;

  constructor(source: PictureSource, sessions: ConsoleSessions) {
    this.#source = source;
    this.#sessions = sessions;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param known the id of the last event that it had, of whichever host. */
  async add(stream: Stream, known: string | undefined): Promise<void> {
    this.#open.add(stream);
    stream.response.once('close', () => this.#remove(stream));
    this.#watch ??= this.#begin();
    const watch = this.#watch;
    const picture = await watch.first;
    if (!this.#open.has(stream)) return;
    watch.latest ??= { id: 1, picture };
    const { id, picture: latest } = watch.latest;
    for (const text of this.#missedSince(watch, known) ?? [this.#event('picture', id, latest)])
      stream.response.write(text);
  }

  /** @param of the streams of this session alone. */
  endAll(why: string, of?: ConsoleSession): void {
    for (const stream of [...this.#open]) if (!of || stream.session === of) this.#end(stream, why);
  }

  #begin(): Watch {
    this.#run = Math.random().toString(36).slice(2, 10);
    const end = this.#source.watch(() => void this.#look());
    const beat = setInterval(() => this.#writeAll(':\n\n'), HEARTBEAT_MS);
    const stop = () => {
      end();
      clearInterval(beat);
    };
    return { first: this.#source.now(), latest: undefined, kept: [], looking: false, stop };
  }

  async #look(): Promise<void> {
    const watch = this.#watch;
    if (!watch || watch.looking) return;
    watch.looking = true;
    try {
      for (const stream of [...this.#open])
        if (!this.#sessions.operatorOf(stream.session)) this.#end(stream, 'session');
      const picture = await this.#source.now();
      if (!watch.latest) return;
      const delta = deltaOf(watch.latest.picture, picture);
      if (delta.set.length + delta.drop.length === 0) return;
      const id = watch.latest.id + 1;
      watch.latest = { id, picture };
      const text = this.#event('change', id, delta);
      watch.kept.push({ id, text });
      if (watch.kept.length > KEPT) watch.kept.shift();
      this.#writeAll(text);
    } catch {
      // The next look is in a second; a host that cannot be looked at is the picture's to say.
    } finally {
      watch.looking = false;
    }
  }

  #missedSince({ latest, kept }: Watch, known: string | undefined): string[] | undefined {
    const [run, id] = known?.split('-') ?? [];
    if (run !== this.#run || !latest) return undefined;
    const missed = kept.filter((one) => one.id > Number(id));
    return missed.length === latest.id - Number(id) ? missed.map(({ text }) => text) : undefined;
  }

  #event(name: string, id: number, data: unknown): string {
    return `event: ${name}\nid: ${this.#run}-${id}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  #writeAll(text: string): void {
    for (const stream of [...this.#open])
      if (stream.response.writableNeedDrain) this.#end(stream, 'slow');
      else stream.response.write(text);
  }

  #end(stream: Stream, why: string): void {
    this.#remove(stream);
    stream.response.end(`event: end\ndata: ${JSON.stringify({ why })}\n\n`);
  }

  #remove(stream: Stream): void {
    this.#open.delete(stream);
    if (this.#open.size > 0) return;
    this.#watch?.stop();
    this.#watch = undefined;
  }
}
