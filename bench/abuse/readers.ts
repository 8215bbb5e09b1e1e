// Readers that never read: a request for 5 MB each on connections of their own, whose answers nobody takes. What counts
// is when the product gives them up; what they hold until then is memory of ours.
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { FormData, fetch } from 'undici';
import type { Figure } from './figure.ts';
import type { Product } from './stage.ts';

const READERS = 50;
const TIMEOUT_MS = 60_000;

export async function abuseByReaders(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const token = await product.customer();
  const id = await largePicture(product, token);
  const { hostname, port } = new URL(product.url);
  const began = performance.now();
  const sockets = await Promise.all(
    Array.from({ length: READERS }, () => silentReader(hostname, Number(port), `/api/media/${id}`)),
  );
  let held = heldBy(Number(port), sockets);
  while (held > 0 && performance.now() - began < TIMEOUT_MS) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    held = heldBy(Number(port), sockets);
  }
  const last = (performance.now() - began) / 1000;
  for (const socket of sockets) socket.destroy();
  say(`${READERS} readers that never read: ${held} still held after ${last.toFixed(0)} s`);
  return [
    { what: `${READERS} readers that never read: held after ${TIMEOUT_MS / 1000} s`, value: held, unit: '' },
    { what: 'the last of them is given up after', value: last, unit: 's' },
  ];
}

/** Noise does not compress: 1,400 pixels a side are some 5 MB. */
async function largePicture({ url }: Product, token: string): Promise<string> {
  const { default: sharp } = await import('sharp');
  const noise = Buffer.alloc(1_400 * 1_400 * 3);
  for (let at = 0; at < noise.length; at += 65_536)
    crypto.getRandomValues(noise.subarray(at, Math.min(at + 65_536, noise.length)));
  const png = await sharp(noise, { raw: { width: 1_400, height: 1_400, channels: 3 } })
    .png()
    .toBuffer();
  const form = new FormData();
  form.set('file', new Blob([new Uint8Array(png)], { type: 'image/png' }), 'noise.png');
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${url}/api/media`, { method: 'POST', headers, body: form });
  if (answer.status !== 201) throw new Error(`the upload was answered ${answer.status}`);
  return ((await answer.json()) as { id: string }).id;
}

function silentReader(host: string, port: number, path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port }, () => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: abused\r\n\r\n`);
      socket.pause();
      socket.removeAllListeners('error');
      socket.on('error', () => {});
      resolve(socket);
    });
    socket.once('error', reject);
  });
}

/**
 * How many of the sockets the product still holds. A reader with a full window is not told that the other side let go,
 * so the system is asked: what a process has closed is no longer in the state ESTABLISHED (01).
 */
function heldBy(port: number, sockets: readonly Socket[]): number {
  const ours = new Set(sockets.map(({ localPort }) => localPort));
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1);
  return rows.filter((row) => {
    const [, local, remote, state] = row.trim().split(/\s+/);
    return state === '01' && portOf(local) === port && ours.has(portOf(remote));
  }).length;
}

function portOf(address: string | undefined): number {
  return Number.parseInt(address?.split(':')[1] ?? '0', 16);
}
