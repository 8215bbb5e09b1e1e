// What `banyan` is told of the application that it is the command line of: commands of its own, and names for what
// is only an example. The command line itself knows no module; bin/commands.ts puts both together.
import type { Register } from './register.ts';

export interface Application {
  /** Listed behind those that every Banyan has. */
  readonly commands: readonly Register[];
  /** Those of them whose exit code tells a mistake in the words, 2, from whatever else may go wrong. */
  readonly strict?: readonly string[];
  /** Of `banyan --help`. */
  readonly examples: readonly Example[];
  readonly suggestions: Suggestions;
}

/** A command as it is typed, and what comes of it. */
export type Example = readonly [command: string, outcome: string];

/** What `banyan status` proposes as the next step, where more than one would do. */
export interface Suggestions {
  /** The module to extract before any other. */
  readonly extractFirst?: string;
  /** The module whose extraction is not proposed. */
  readonly extractNever?: string;
  /** A public GET that a module answers: its headers say who served it. */
  readonly request?: string;
  /** A GET for operators that answers how many sagas are `stuck`, and the command that shows those. */
  readonly sagas?: { readonly path: string; readonly command: string };
}

/** A Banyan of which nothing is known. */
export const anyApplication: Application = { commands: [], examples: [], suggestions: {} };
