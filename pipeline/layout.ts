// Where a checkout has what belongs to one module, taken from what the product says of itself (src/banyan/config/app.ts):
// its code, its tables, its service; and where the library is. No module stands here by name.
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { App } from '../src/banyan/config/app.ts';
import { moduleNames } from '../src/banyan/config/environment.ts';

export interface Layout {
  readonly modules: readonly string[];
  /** The folder of all modules, with a slash at its end. */
  readonly folder: string;
  /** The folder of the library. */
  readonly library: string;
  /** The folders of one module, each with a slash at its end. */
  foldersOf(module: string): readonly string[];
}

export function layoutOf(root: string, app: Pick<App, 'modules' | 'prisma' | 'service'>): Layout {
  const inside = (path: string) => `${relative(root, path).split(sep).join('/')}/`;
  const folder = inside(fileURLToPath(app.modules));
  const modules = moduleNames(app);
  const folders = new Map(
    modules.map((module) => [
      module,
      [
        `${folder}${module}/`,
        inside(join(fileURLToPath(app.prisma), module)),
        inside(dirname(fileURLToPath(app.service(module)))),
      ],
    ]),
  );
  const library = inside(fileURLToPath(new URL('../src/banyan', import.meta.url)));
  return { modules, folder, library, foldersOf: (module) => folders.get(module) ?? [] };
}
