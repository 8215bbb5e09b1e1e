// The storage of files: whole or not there, never outside of its folder.
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { counted, openStorage, type Storage } from './storage.ts';

const id = '01930000-0000-7000-8000-0000000000ab';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan media %41 '));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const files = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);

test('keeps, gives back and removes; nothing is nothing', async () => {
  const storage = openStorage(pathToFileURL(folder).href);
  const key = `${id}.original`;
  expect(await storage.read(key)).toBeUndefined();
  expect(await storage.has(key)).toBe(false);
  await storage.write(key, Buffer.from('one'));
  expect((await storage.read(key))?.toString()).toBe('one');
  expect(await storage.has(key)).toBe(true);
  expect(await files()).toEqual([key]);
  await storage.remove(key);
  await storage.remove(key);
  expect(await files()).toEqual([]);
});

test('what fails is counted by what was asked, and fails all the same', async () => {
  const no = () => Promise.reject(new Error('the folder is away'));
  const away: Storage = { read: no, write: no, has: no, remove: no };
  const failed: string[] = [];
  const storage = counted(away, ({ operation = '' } = {}) => failed.push(operation));
  const asked = [
    storage.read('a'),
    storage.write('a', Buffer.from('')),
    storage.has('a'),
    storage.remove('a'),
  ];
  for (const one of asked) await expect(one).rejects.toThrow('the folder is away');
  expect(failed).toEqual(['read', 'write', 'read', 'remove']);
});

test('files are 0640 and folders 0750, whatever the umask', async () => {
  if (process.platform === 'win32') return;
  const deep = join(folder, 'new', 'deeper');
  for (const [umask, variant] of [
    [0o000, 'original'],
    [0o077, 'thumb'],
  ] as const) {
    const before = process.umask(umask);
    try {
      await openStorage(pathToFileURL(deep).href).write(`${id}.${variant}`, Buffer.from('x'));
    } finally {
      process.umask(before);
    }
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    expect(await mode(join(deep, id.slice(34), `${id}.${variant}`))).toBe(0o640);
    for (const one of [join(folder, 'new'), deep, join(deep, id.slice(34))])
      expect(await mode(one)).toBe(0o750);
  }
  await rm(join(folder, 'new'), { recursive: true });
});

test('of many who write one key at once, each leaves it whole', async () => {
  const storage = openStorage(pathToFileURL(folder).href);
  const bytes = Buffer.alloc(300_000, 7);
  await Promise.all(Array.from({ length: 8 }, () => storage.write(`${id}.thumb`, bytes)));
  expect(bytes.equals((await storage.read(`${id}.thumb`))!)).toBe(true);
  expect(await files()).toEqual([`${id}.thumb`]);
});

test.each(['../x', `../${id}.thumb`, `${id}.thumb\0`, `${id}/thumb`, `${id.toUpperCase()}.thumb`, ''])(
  'refuses the key %j',
  (key) => {
    const storage = openStorage(pathToFileURL(folder).href);
    expect(() => storage.read(key)).toThrow('not a key');
    expect(() => storage.write(key, Buffer.from('x'))).toThrow('not a key');
  },
);

test('says which storages there are', () => {
  expect(() => openStorage('s3://bucket')).toThrow('only file: is supported');
});
