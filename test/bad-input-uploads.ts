// Bad uploads: multipart that is broken or more than one file, and files that are no image.
import { crc32, deflateSync } from 'node:zlib';
import type { Case, Sent, World } from './bad-input.ts';

const boundary = 'a-boundary';

interface Part {
  readonly name?: string;
  readonly filename?: string;
  readonly type?: string;
  readonly bytes: Buffer | string;
}

function multipart(parts: readonly Part[], end = `--${boundary}--\r\n`): Buffer {
  const written = parts.flatMap(({ name = 'file', filename = 'a.png', type = 'image/png', bytes }) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${filename === '' ? '' : `; filename="${filename}"`}\r\n` +
        `content-type: ${type}\r\n\r\n`,
    ),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...written, Buffer.from(end)]);
}

const send =
  (body: (world: World) => Buffer | string, type = `multipart/form-data; boundary=${boundary}`) =>
  (world: World): Sent => ({
    method: 'POST',
    path: '/api/media',
    token: world.customer.token,
    headers: { 'content-type': type },
    body: body(world),
  });

const file = (bytes: (world: World) => Buffer | string, part: Partial<Part> = {}) =>
  send((world) => multipart([{ ...part, bytes: bytes(world) }]));

const notAnImage = { status: 422, paths: ['/file'], code: 'not-an-image' };

export const uploads: readonly Case[] = [
  { name: 'an upload of JSON', send: send(() => '{}', 'application/json'), status: 415 },
  { name: 'an upload of bytes', send: send(({ png }) => png, 'image/png'), status: 415 },
  {
    name: 'an upload of a form',
    send: send(() => 'file=a', 'application/x-www-form-urlencoded'),
    status: 415,
  },
  {
    name: 'an upload of nothing',
    send: (world) => ({ method: 'POST', path: '/api/media', token: world.customer.token }),
    status: 415,
  },
  {
    name: 'multipart of another kind',
    send: send(({ png }) => multipart([{ bytes: png }]), `multipart/mixed; boundary=${boundary}`),
    status: 415,
  },
  {
    name: 'multipart without a boundary',
    send: send(({ png }) => multipart([{ bytes: png }]), 'multipart/form-data'),
    status: 400,
  },
  {
    name: 'multipart with another boundary',
    send: send(({ png }) => multipart([{ bytes: png }]), 'multipart/form-data; boundary=other'),
    status: 400,
  },
  {
    name: 'multipart with an empty boundary',
    send: send(({ png }) => multipart([{ bytes: png }]), 'multipart/form-data; boundary='),
    status: 400,
  },
  { name: 'multipart that is text', send: send(() => 'no multipart at all'), status: 400 },
  { name: 'multipart of no bytes', send: send(() => ''), status: 422, paths: ['/file'] },
  {
    name: 'multipart cut off in the file',
    send: send(({ png }) => multipart([{ bytes: png }]).subarray(0, 200)),
    status: 400,
  },
  {
    name: 'multipart cut off in the head',
    send: send(() => `--${boundary}\r\ncontent-disposition: form-data; na`),
    status: 400,
  },
  {
    name: 'multipart without its end',
    send: send(({ png }) => multipart([{ bytes: png }], '')),
    status: 400,
  },
  { name: 'multipart without parts', send: send(() => multipart([])), status: 422, paths: ['/file'] },
  {
    name: 'two files',
    send: send(({ png }) => multipart([{ bytes: png }, { bytes: png }])),
    status: 422,
    paths: ['/file'],
  },
  {
    name: 'a file in another field',
    send: file(({ png }) => png, { name: 'image' }),
    status: 422,
    paths: ['/file'],
  },
  {
    name: 'a file in __proto__',
    send: file(({ png }) => png, { name: '__proto__' }),
    status: 400,
  },
  {
    name: 'a field beside the file',
    send: send(({ png }) =>
      multipart([{ bytes: png }, { name: 'title', filename: '', type: 'text/plain', bytes: 'x' }]),
    ),
    status: 422,
    paths: ['/file'],
  },
  {
    name: 'a field before the file',
    send: send(({ png }) =>
      multipart([{ name: 'title', filename: '', type: 'text/plain', bytes: 'x' }, { bytes: png }]),
    ),
    status: 422,
    paths: ['/file'],
  },
  {
    name: 'a text in the place of the file',
    send: file(() => 'x', { filename: '', type: 'text/plain' }),
    status: 422,
    paths: ['/file'],
  },
  { name: 'an empty file', send: file(() => ''), status: 422, paths: ['/file'] },
  {
    name: 'a query beside the file',
    send: (world) => ({ ...file(({ png }) => png)(world), path: '/api/media?id=1' }),
    status: 422,
    paths: ['/id'],
  },
  {
    name: 'a text that calls itself a picture',
    send: file(() => 'I am a picture, believe me. '.repeat(100)),
    ...notAnImage,
  },
  {
    name: 'a program that calls itself a picture',
    send: file(() => Buffer.from('\u007fELF\u0002\u0001\u0001'.padEnd(4096, '\0'), 'latin1')),
    ...notAnImage,
  },
  {
    name: 'a picture that breaks off',
    send: file(({ png }) => png.subarray(0, png.length - 30)),
    ...notAnImage,
  },
  { name: 'the head of a picture', send: file(({ png }) => png.subarray(0, 33)), ...notAnImage },
  { name: 'a picture with a wrong byte', send: file(({ png }) => damaged(png)), ...notAnImage },
  {
    name: 'an SVG',
    send: file(
      () =>
        '<?xml version="1.0"?><!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&x;</text></svg>',
      { type: 'image/svg+xml' },
    ),
    ...notAnImage,
  },
  {
    name: 'a PDF',
    send: file(() => '%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF'),
    ...notAnImage,
  },
  { name: 'a bomb of 50,000 by 50,000 pixels', send: file(() => bomb(50_000, 50_000)), ...notAnImage },
  { name: 'a bomb of a line of 2 billion pixels', send: file(() => bomb(2_000_000_000, 1)), ...notAnImage },
  { name: 'a file of 11 MB', send: file(() => Buffer.alloc(11 * 1024 * 1024, 'x')), status: 413 },
  {
    name: 'a file of 11 MB in chunks',
    send: (world) => ({ ...file(() => Buffer.alloc(11 * 1024 * 1024, 'x'))(world), chunked: true }),
    status: 413,
  },
  {
    name: 'a field of 11 MB',
    send: file(() => Buffer.alloc(11 * 1024 * 1024, 'x'), { filename: '', type: 'text/plain' }),
    status: 413,
  },
  {
    name: 'JSON of 11 MB to the pictures',
    send: send(() => `"${'x'.repeat(11 * 1024 * 1024)}"`, 'application/json'),
    status: 413,
  },
  {
    name: 'an upload of 11 MB by nobody',
    send: (world) => ({ ...file(() => Buffer.alloc(11 * 1024 * 1024, 'x'))(world), token: undefined }),
    status: 401,
  },
];

function damaged(png: Buffer): Buffer {
  const copy = Buffer.from(png);
  const at = copy.indexOf('IDAT') + 10;
  copy[at] = copy[at]! ^ 0xff;
  return copy;
}

/** A PNG whose head promises so many pixels, in a few hundred bytes. */
function bomb(width: number, height: number): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(Buffer.alloc(100_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}
