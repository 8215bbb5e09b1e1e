// The data of an event as a person has it in a file.
import { readFileSync } from 'node:fs';
import { failure } from '../failure.ts';

export interface Better {
  readonly data: unknown;
  /** Where the text is, in case it is refused. */
  readonly path: string;
  readonly done: () => void;
}

export function dataFrom(path: string): Better {
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
