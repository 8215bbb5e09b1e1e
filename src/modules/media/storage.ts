// Where the bytes of pictures are, behind a port: object storage can take the place of files.
// A write is whole or not there at all, and durable when it returns. Files are 0640 and folders 0750.
// It knows neither pictures nor users.
import { randomUUID } from 'node:crypto';
import { access, chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Count, isTrial } from '#banyan';

export interface Storage {
  write(key: string, bytes: Buffer): Promise<void>;
  /** Undefined when there is nothing under this key. */
  read(key: string): Promise<Buffer | undefined>;
  has(key: string): Promise<boolean>;
  remove(key: string): Promise<void>;
}

export function openStorage(url: string): Storage {
  if (new URL(url).protocol === 'file:') return onlyForReal(fileStorage(fileURLToPath(url)));
  throw new Error(`STORAGE_URL ${url}: only file: is supported, for example file:///var/lib/banyan/media`);
}

/** A storage in which nothing changes while a request is only tried: the rows of what it would write are rolled back. */
export function onlyForReal({ write, remove, ...reads }: Storage): Storage {
  return {
    ...reads,
    write: (key, bytes) => (isTrial() ? Promise.resolve() : write(key, bytes)),
    remove: (key) => (isTrial() ? Promise.resolve() : remove(key)),
  };
}

export const storageOperations = ['read', 'write', 'remove'] as const;

/** Every failure of it is counted, by the operation. */
export function counted(storage: Storage, failed: Count): Storage {
  const noted = <T>(operation: (typeof storageOperations)[number], work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed({ operation });
      throw error;
    });
  return {
    write: (key, bytes) => noted('write', storage.write(key, bytes)),
    read: (key) => noted('read', storage.read(key)),
    has: (key) => noted('read', storage.has(key)),
    remove: (key) => noted('remove', storage.remove(key)),
  };
}

/** `<uuid>.<variant>` and nothing else: a key is a file name, and no key leaves the folder. */
const KEY_SHAPE = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.[a-z]+$/;

export function fileStorage(folder: string): Storage {
  // 256 folders by the random end of the id: its beginning is the time, alike for all of one hour.
  const pathOf = (key: string) => {
    if (!KEY_SHAPE.test(key)) throw new Error(`not a key of the storage: ${JSON.stringify(key)}`);
    return join(folder, key.slice(34, 36), key);
  };
  return {
    write: (key, bytes) => writeWhole(pathOf(key), bytes),
    read: (key) => readFile(pathOf(key)).catch((error) => ifMissing(error, undefined)),
    has: (key) =>
      access(pathOf(key)).then(
        () => true,
        (error) => ifMissing(error, false),
      ),
    remove: (key) => rm(pathOf(key), { force: true }),
  };
}

async function writeWhole(path: string, bytes: Buffer): Promise<void> {
  await makeFolder(dirname(path));
  const beside = `${path}.${randomUUID()}.part`;
  try {
    const file = await open(beside, 'wx', 0o640);
    try {
      // Whatever the umask took away or let through.
      await file.chmod(0o640);
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** For the owner, and for a group that makes backups; a folder that was there keeps the mode that somebody gave it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o750 });
  if (first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await chmod(made, 0o750);
}

/** Makes the new name durable too. Windows cannot open folders and needs not. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function ifMissing<T>(error: NodeJS.ErrnoException, value: T): T {
  if (error.code === 'ENOENT') return value;
  throw error;
}
