// What is known of a statement by its text alone. One that comes a second time gets a name, so that each connection
// parses and plans it once: for a read by key that is as much work as running it. And whether it writes, since
// single writes share commits (shared-commits.ts); a text that is misread costs speed and nothing else.
// It must not know what any statement means.
import type { QueryConfig } from 'pg';

/** Beyond so many the rest is parsed each time: the server keeps what is prepared, for each connection. */
const MAX_PREPARED = 200;
/** Texts that came once. Those with values written into them never come again, and must not fill the names. */
const MAX_SEEN = 1_000;

const ALL_COLUMNS = /\b(?:select|returning)\s+(?:\w+\.)?\*|,\s*(?:\w+\.)?\*/i;
const WRITING = /^(?:\s|--[^\n]*\n)*(?:insert|update|delete|merge)\b/i;
const WRITING_WITH =
  /^(?:\s|--[^\n]*\n)*with\b.*\b(?:insert\s+into|update\s+[\w."]+\s|delete\s+from|merge\s+into)/is;

/** Names are of the process, so that no two texts of one connection have the same. */
let given = 0;

export class Statements {
  readonly #names = new Map<string, string>();
  readonly #writes = new Map<string, boolean>();
  readonly #seen = new Set<string>();

  /** The statement as pg takes it. */
  of(text: string, values?: readonly unknown[]): QueryConfig {
    const name = this.nameOf(text);
    return { text, ...(values ? { values: values.map(written) } : {}), ...(name ? { name } : {}) };
  }

  /** Undefined: it is parsed for this once. */
  nameOf(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known || this.#names.size === MAX_PREPARED) return known;
    if (!this.#seen.delete(text)) {
      if (this.#seen.size === MAX_SEEN) this.#seen.clear();
      this.#seen.add(text);
      return undefined;
    }
    // Several commands in one text cannot be prepared.
    if (text.includes(';') || answersAllColumns(text)) return undefined;
    given += 1;
    const name = `s${given}`;
    this.#names.set(text, name);
    return name;
  }

  /** What has a name by now. */
  get named(): { readonly name: string; readonly text: string }[] {
    return [...this.#names].map(([text, name]) => ({ name, text }));
  }

  isWrite(text: string): boolean {
    let known = this.#writes.get(text);
    if (known === undefined) {
      known = WRITING.test(text) || WRITING_WITH.test(text);
      if (this.#writes.size === MAX_SEEN) this.#writes.clear();
      this.#writes.set(text, known);
    }
    return known;
  }
}

/**
 * As pg would write it, but before pg begins with the statement: where JSON refuses a value (a bigint inside, a circle), pg
 * has closed the prepared statement and would go on to use it, for as long as the connection lives.
 */
function written(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(written);
  const pgsOwn = ArrayBuffer.isView(value) || value instanceof Date || 'toPostgres' in value;
  return pgsOwn ? value : JSON.stringify(value);
}

/** Its columns are another's affair: were one added, each connection that had prepared it would refuse it for ever. */
function answersAllColumns(text: string): boolean {
  const [, returned] = /^\s*insert\b.*?(returning\b.*)?$/is.exec(text) ?? [undefined, text];
  return returned !== undefined && ALL_COLUMNS.test(returned);
}
