// The files of the page, as everybody gets them: each read once when it is first asked for, types taken off, compressed, kept.
// What is the page's own may change with every version of the product and is asked for again by its ETag; what is a library's
// has its version in its path and is kept for ever. Guarantee: nothing but what is listed here can be had, whatever a path says.
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { stripTypes } from './page-code.ts';

/** The page, and what page and host both run. */
const FOLDERS = ['page', 'shared'];

/** The libraries of the page: as it imports them, and which file of which package that is. */
const VENDOR = [
  ['preact', 'preact', 'dist/preact.mjs'],
  ['preact/hooks', 'preact', 'hooks/dist/hooks.mjs'],
  ['@preact/signals', '@preact/signals', 'dist/signals.mjs'],
  ['@preact/signals-core', '@preact/signals-core', 'dist/signals-core.mjs'],
  ['htm', 'htm', 'dist/htm.mjs'],
] as const;

const types: Readonly<Record<string, string>> = {
  '.ts': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export type Encoding = 'br' | 'gzip';

export interface PageFile {
  readonly type: string;
  readonly cacheControl: string;
  /** With its quotes. */
  readonly etag: string;
  readonly plain: Buffer;
  /** Compressed, once. */
  as(encoding: Encoding): Promise<Buffer>;
}

export interface PageFiles {
  /** Under `assets/`. */
  readonly paths: readonly string[];
  /** What the page imports by name, to the path under `assets/`. */
  readonly imports: Readonly<Record<string, string>>;
  /** Undefined: there is no such file. */
  file(path: string): Promise<PageFile> | undefined;
}

/** Lists them, which is all that the page's first answer needs; types come off meanwhile. Once in a process. */
export const openPageFiles = once(listFiles);

async function listFiles(): Promise<PageFiles> {
  const [own, vendor] = await Promise.all([ownFiles(), vendorFiles()]);
  const sources = new Map([...own, ...vendor].map((one) => [one.path, one]));
  const code = once(() => withoutTypes(own));
  code().catch(() => {});
  const made = new Map<string, Promise<PageFile>>();
  return {
    paths: [...sources.keys()],
    imports: Object.fromEntries(vendor.map(({ name, path }) => [name, path])),
    file(path) {
      const source = sources.get(path);
      if (!source) return undefined;
      let file = made.get(path);
      if (!file) {
        file = textOf(source, code).then((text) => fileOf(source, text));
        // Whoever asks after a failure has it read again.
        file.catch(() => made.delete(path));
        made.set(path, file);
      }
      return file;
    },
  };
}

interface Source {
  readonly path: string;
  readonly at: string;
  /** A library's. */
  readonly kept: boolean;
}

const isCode = ({ path }: Source) => path.endsWith('.ts');

async function textOf(source: Source, code: () => Promise<ReadonlyMap<string, string>>): Promise<string> {
  if (isCode(source)) return (await code()).get(source.path)!;
  // The page has no map of a library: a browser that looks closely would ask for it.
  return (await readFile(source.at, 'utf8')).replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
}

async function withoutTypes(own: readonly Source[]): Promise<ReadonlyMap<string, string>> {
  const files = own.filter(isCode);
  const stripped = await stripTypes(await Promise.all(files.map(({ at }) => readFile(at, 'utf8'))));
  return new Map(files.map(({ path }, index) => [path, stripped[index]!]));
}

async function ownFiles(): Promise<Source[]> {
  const listed = await Promise.all(
    FOLDERS.map(async (folder) =>
      (await readdir(join(import.meta.dirname, folder), { recursive: true })).map((name) =>
        join(folder, name),
      ),
    ),
  );
  return listed
    .flat()
    .filter((name) => /(?<!\.test)\.(ts|css|svg)$/.test(name))
    .map((name) => ({
      path: name.split(sep).join('/'),
      at: join(import.meta.dirname, name),
      kept: false,
    }));
}

async function vendorFiles(): Promise<(Source & { readonly name: string })[]> {
  const beside = createRequire(import.meta.url);
  // What only the page's libraries need may lie beside them.
  const within = createRequire(beside.resolve('@preact/signals'));
  return Promise.all(
    VENDOR.map(async ([name, pack, file]) => {
      const folder = folderOf(pack, pack.endsWith('-core') ? within : beside);
      const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as {
        version: string;
      };
      return { name, path: `vendor/${pack}@${version}/${file}`, at: join(folder, file), kept: true };
    }),
  );
}

/** Where a package is: the folder of node_modules that has its package.json, which it need not export. */
function folderOf(pack: string, from: NodeJS.Require): string {
  let folder = dirname(from.resolve(pack));
  while (!folder.endsWith(join('node_modules', pack))) folder = dirname(folder);
  return folder;
}

const compress: Readonly<Record<Encoding, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: (bytes) => promisify(gzip)(bytes),
  br: (bytes) =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
};

function fileOf({ path, kept }: Source, text: string): PageFile {
  const plain = Buffer.from(text);
  const made = new Map<Encoding, Promise<Buffer>>();
  return {
    type: types[path.slice(path.lastIndexOf('.'))]!,
    cacheControl: kept ? 'public, max-age=31536000, immutable' : 'no-cache',
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 27)}"`,
    plain,
    as(encoding) {
      let bytes = made.get(encoding);
      if (!bytes) {
        bytes = compress[encoding](plain);
        made.set(encoding, bytes);
      }
      return bytes;
    },
  };
}

/** What failed is made again for the next one. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}
