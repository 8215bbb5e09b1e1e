// Decoding processes: they end when idle, die alone, and are not begun for those who left.
import sharp from 'sharp';
import { afterEach, expect, test } from 'vitest';
import { NotAnImage } from './decode.ts';
import { createDecoder, type Decoder } from './processes.ts';

const somebody = { deadline: Number.POSITIVE_INFINITY };
const picture = () =>
  sharp({ create: { width: 40, height: 30, channels: 3, background: '#2a7' } })
    .png()
    .toBuffer();

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

let decoder: Decoder;
afterEach(() => decoder.close());

test('gives back what was sent, again and again, and ends when it is idle', async () => {
  decoder = createDecoder({ idleMs: 50 });
  const bytes = await picture();
  for (let i = 0; i < 3; i += 1) {
    const image = await decoder.decode(somebody, bytes);
    expect(image).toMatchObject({ contentType: 'image/png', width: 40, height: 30 });
    expect(image.original.equals(bytes)).toBe(true);
  }
  expect(decoder.processes).toHaveLength(1);
  await expect.poll(() => decoder.processes).toEqual([]);
  expect((await decoder.decode(somebody, bytes)).width).toBe(40);
});

test('one that is killed refuses its picture, and the next has another', async () => {
  decoder = createDecoder();
  const bytes = await picture();
  await decoder.decode(somebody, bytes);
  const [pid] = decoder.processes;
  const slow = await sharp({ create: { width: 6000, height: 4000, channels: 3, background: '#2a7' } })
    .png({ progressive: true })
    .toBuffer();
  const doomed = decoder.decode(somebody, slow);
  process.kill(pid!, 'SIGKILL');
  await expect(doomed).rejects.toBeInstanceOf(NotAnImage);
  expect((await decoder.decode(somebody, bytes)).width).toBe(40);
  expect(decoder.processes).not.toContain(pid);
});

test('what takes too long is ended and is 503', async () => {
  decoder = createDecoder({ longestMs: 1 });
  await expect(decoder.decode(somebody, await picture())).rejects.toMatchObject({ status: 503 });
  await expect.poll(() => decoder.processes).toEqual([]);
});

test('a host that can begin no process says 503, not that the picture is wrong', async () => {
  decoder = createDecoder({ execPath: '/nowhere/node' });
  await expect(decoder.decode(somebody, await picture())).rejects.toMatchObject({
    status: 503,
    body: { code: 'unavailable' },
  });
  expect(decoder.processes).toEqual([]);
});

test('one that died idle takes no other with it when its time is over', async () => {
  decoder = createDecoder({ idleMs: 1000 });
  const bytes = await picture();
  await decoder.decode(somebody, bytes);
  const [dead] = decoder.processes;
  process.kill(dead!, 'SIGKILL');
  await expect.poll(() => isAlive(dead!)).toBe(false);
  await decoder.decode(somebody, bytes);
  const next = decoder.processes.filter((pid) => pid !== dead);
  await expect.poll(() => decoder.processes, { interval: 10, timeout: 5000 }).not.toContain(dead);
  await decoder.decode(somebody, bytes);
  expect(decoder.processes).toEqual(next);
});

test('nothing is decoded for who left', async () => {
  decoder = createDecoder();
  const bytes = await picture();
  const leaving = new AbortController();
  leaving.abort();
  const who = { ...somebody, signal: leaving.signal };
  await expect(decoder.decode(who, bytes)).rejects.toMatchObject({ status: 504 });
  expect(decoder.processes).toEqual([]);
});
