// What is in the way of a move, each with what helps: a person gets all of them at once.

export interface Finding {
  /** For scripts. */
  readonly code: string;
  readonly detail: string;
  readonly remedy: string;
}
