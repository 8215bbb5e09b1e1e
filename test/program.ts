// Programs that are no part of this repository, and that a test is left out without.
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where it is: in the folder that the variable names, else on the PATH. */
export function foundProgram(name: string, variable: 'PROMETHEUS_BIN' | 'STACK_BIN'): string | undefined {
  const { [variable]: own, PATH = '' } = process.env;
  const folders = own ? [own] : PATH.split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
