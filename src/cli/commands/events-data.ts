// The data of an event as a person has it: in a file, or as JSON in the command itself.
import { readFileSync } from 'node:fs';
import { failure } from '../failure.ts';

export interface Better {
  readonly data: unknown;
  /** Where the text is, in case it is refused; undefined: in the command. */
  readonly path: string | undefined;
  readonly done: () => void;
}

/** What begins so is JSON, and no name of a file. */
const isJson = (given: string) => /^\s*[{[]/.test(given);

/** What a next command says of it. */
export const dataOption = (given: string): string => `--data ${isJson(given) ? "'{…}'" : given}`;

/** @param given a file, or the JSON itself. */
export function dataFrom(given: string): Better {
  if (!isJson(given)) return fromFile(given);
  try {
    return { data: JSON.parse(given), path: undefined, done: () => {} };
  } catch (error) {
    throw failure(
      'bad-data',
      400,
      'The data could not be read',
      `It is no JSON: ${(error as Error).message}.`,
      "Put it between single quotes: --data '{…}', or give a file",
    );
  }
}

function fromFile(path: string): Better {
  const wrong = (why: string) =>
    failure(
      'bad-data',
      400,
      'The data could not be read',
      `${path}: ${why}`,
      'Give a file with one JSON value',
    );
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw wrong((error as Error).message);
  }
  try {
    return { data: JSON.parse(text), path, done: () => {} };
  } catch (error) {
    throw wrong((error as Error).message);
  }
}
