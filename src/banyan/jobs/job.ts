// Work that a module does by itself, as the loop sees it. Types only.

/** Work that nobody asks for. It claims its rows in the database, so any number of replicas may run it. */
export interface Job {
  readonly name: string;
  /** How often it looks when nothing woke it, in milliseconds. */
  readonly everyMs: number;
  /** Answers whether there may be more to do at once. */
  readonly run: (signal: AbortSignal) => Promise<boolean>;
}
