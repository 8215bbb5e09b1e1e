// What becomes of telemetry on its way out: how much of a signal waits, how much was dropped, and whether whoever takes it
// answers. Guarantees: what waits is bounded, and the rest dropped and counted; an outage is said once in the log, and once
// that it is over, however often it is tried; who ends waits for nobody who is known not to answer. It sends nothing itself.
import type { Logger } from 'pino';
import type { Count } from './instruments.ts';
import type { Signal } from './otlp-target.ts';

/** Spans or lines that wait or are under way: some 2 MB. */
const ROOM = 2_048;
/** One export that takes longer than this is taken for one that will not be answered. */
const SILENT_MS = 1_000;
/** An endpoint that comes and goes is said so often at most. */
const SAY_AGAIN_MS = 60_000;

export interface Result {
  /** 0: taken. */
  readonly code: number;
  readonly error?: Error;
}

/** What the SDK calls an exporter, of whatever signal. */
export interface Exporter<Items> {
  export(items: Items, done: (result: Result) => void): void;
}

/** The one endpoint of a host, or the three: what is said of them. */
export class Outage {
  readonly #log: Pick<Logger, 'warn' | 'info'>;
  readonly #now: () => number;
  readonly #failing = new Set<Signal>();
  #saidAt = Number.NEGATIVE_INFINITY;
  #said = false;

  constructor(log: Pick<Logger, 'warn' | 'info'>, now = () => performance.now()) {
    this.#log = log;
    this.#now = now;
  }

  failed(signal: Signal, error: Error | undefined): void {
    this.#failing.add(signal);
    if (this.#said || this.#now() - this.#saidAt < SAY_AGAIN_MS) return;
    this.#said = true;
    this.#saidAt = this.#now();
    const reason = error?.message || 'it was not taken';
    this.#log.warn(
      { signal, reason },
      'telemetry cannot be sent by OTLP; what does not fit meanwhile is dropped',
    );
  }

  taken(signal: Signal): void {
    if (!this.#failing.delete(signal) || this.#failing.size > 0 || !this.#said) return;
    this.#said = false;
    this.#log.info('telemetry is sent by OTLP again');
  }
}

/** Of one signal. */
export class Delivery {
  readonly #signal: Signal;
  readonly #outage: Outage;
  readonly #dropped: Count;
  readonly #failures: Count;
  #waiting = 0;
  #failed = false;
  /** When the oldest export that is under way began. */
  readonly #underWay = new Set<number>();

  constructor(signal: Signal, outage: Outage, counts: { readonly dropped: Count; readonly failures: Count }) {
    this.#signal = signal;
    this.#outage = outage;
    this.#dropped = counts.dropped;
    this.#failures = counts.failures;
  }

  /** Whether there is room for one more; if not, it is counted as dropped. */
  take(): boolean {
    if (this.#waiting >= ROOM) {
      this.#dropped({ signal: this.#signal });
      return false;
    }
    this.#waiting += 1;
    return true;
  }

  /** Whoever takes it does not answer, as far as is known. */
  get isDown(): boolean {
    const [oldest = Number.POSITIVE_INFINITY] = this.#underWay;
    return this.#failed || performance.now() - oldest > SILENT_MS;
  }

  /** The exporter with each export noted. @param sizeOf how many of what `take` let in are in one. */
  noted<Items, E extends Exporter<Items>>(exporter: E, sizeOf: (items: Items) => number): E {
    const send = exporter.export.bind(exporter);
    exporter.export = (items, done) => {
      const began = performance.now();
      this.#underWay.add(began);
      send(items, (result) => {
        this.#underWay.delete(began);
        this.#ended(sizeOf(items), result);
        done(result);
      });
    };
    return exporter;
  }

  #ended(size: number, { code, error }: Result): void {
    this.#waiting -= size;
    this.#failed = code !== 0;
    if (!this.#failed) {
      this.#outage.taken(this.#signal);
      return;
    }
    this.#failures({ signal: this.#signal });
    if (size > 0) this.#dropped({ signal: this.#signal }, size);
    this.#outage.failed(this.#signal, error);
  }
}
