// The lines of the log on their second way: besides stdout to whoever sends them. A host logs before it has read what it needs
// to send anything, so the first lines are kept until somebody takes them. Guarantee: they are bounded, and a line is never
// held up. It knows no protocol.

/** A start says some thirty. */
const MOST = 500;

export interface LineSink {
  /** Takes one line of JSON. Throws nothing and waits for nothing. */
  write(line: string): void;
}

export class LogLines implements LineSink {
  #sink: LineSink | undefined;
  #early: string[] = [];

  write(line: string): void {
    if (this.#sink) this.#sink.write(line);
    else if (this.#early.length < MOST) this.#early.push(line);
  }

  /** From now on they go there, those that were kept first. */
  to(sink: LineSink): void {
    const early = this.#early;
    this.#early = [];
    this.#sink = sink;
    for (const line of early) sink.write(line);
  }
}
