// A process of its own that says what one tree of the repository promises: every contract, and the two documents that
// follow from them, as that tree's own code makes them. `node tell.ts '<JSON>'` prints JSON on stdout. It is this
// revision's file, run on any tree: of the tree it needs the folder of modules, and of the library its contracts,
// openapi.ts and asyncapi.ts.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Contract } from '../../src/banyan/contract/contract.ts';
import type { Asked, Promised } from './promises.ts';

const asked = JSON.parse(process.argv[2]!) as Asked;
process.stdout.write(JSON.stringify(await promised(asked)));

async function promised({ tree, modules, library }: Asked): Promise<Promised> {
  const load = (path: string) =>
    import(pathToFileURL(join(tree, path)).href) as Promise<Record<string, unknown>>;
  const ofModules: Contract[] = [];
  for (const module of foldersIn(join(tree, modules)))
    ofModules.push(...contractsIn(await load(`${modules}${module}/contract.ts`)));
  const ofHost: Contract[] = [];
  for (const file of contractFiles(tree, library)) ofHost.push(...contractsIn(await load(file)));

  const about = { title: 'a product', version: '0.0.0' };
  const { openapi } = (await load(`${library}contract/openapi.ts`)) as {
    openapi: (contracts: readonly Contract[], about: object) => object;
  };
  const { asyncapi } = (await load(`${library}events/asyncapi.ts`)) as {
    asyncapi: (contracts: readonly Contract[], about: object) => object;
  };
  return {
    modules: ofModules,
    host: ofHost,
    openapi: openapi([...ofModules, ...ofHost], about),
    asyncapi: asyncapi(ofModules, about),
  } as unknown as Promised;
}

function contractsIn(exported: Record<string, unknown>): Contract[] {
  return Object.values(exported).filter((one): one is Contract => {
    const { module, operations } = (one ?? {}) as Partial<Contract>;
    return typeof module === 'string' && typeof operations === 'object';
  });
}

function foldersIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'contract.ts')))
    .map(({ name }) => name)
    .sort();
}

/** The library has one file for what a host promises of each thing, `contract.ts` or `<thing>-contract.ts`. */
function contractFiles(tree: string, folder: string): string[] {
  return readdirSync(join(tree, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory()) return contractFiles(tree, `${path}/`);
      return /^(.+-)?contract\.ts$/.test(entry.name) ? [path] : [];
    })
    .sort();
}
