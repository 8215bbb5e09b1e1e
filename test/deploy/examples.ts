// What stands beside the chart, as the objects that it is.
import { readdirSync, readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import type { Manifest } from './rendered.ts';

const folder = new URL('../../deploy/helm/examples/', import.meta.url);

/** Files of objects; one of values for another chart has none. */
export function examples(): { readonly file: string; readonly objects: readonly Manifest[] }[] {
  return readdirSync(folder).map((file) => ({
    file,
    objects: parseAllDocuments(readFileSync(new URL(file, folder), 'utf8'))
      .map((document) => document.toJS() as Manifest)
      .filter((object) => object?.kind !== undefined),
  }));
}
