// The two ways a mail leaves: as a file that is the same file when written twice, and by SMTP with a
// Message-ID that is the same when sent twice.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { fileMailer } from './files.ts';
import { type Mail, RefusedForGood } from './mailer.ts';
import { smtpMailer } from './smtp.ts';

const mail: Mail = {
  key: 'order-confirmed-7',
  to: { name: 'Zoë, the "first"\r\nBcc: evil@example.com', address: 'zoe@example.com' },
  subject: 'Your order 7 is confirmed',
  text: 'Grüße\n',
  date: new Date('2026-01-02T03:04:05Z'),
  headers: { 'X-Order-ID': '7' },
};

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).reverse()) await clean();
});

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'mail-'));
  cleanups.push(() => rm(made, { recursive: true }));
  return made;
}

/** Just enough SMTP; `reply` answers the end of a mail's data. */
async function smtpServer(reply: (data: string, count: number) => string) {
  const received: string[] = [];
  const server: Server = createServer((socket) => {
    let data: string | undefined;
    let rest = '';
    socket.on('error', () => {});
    socket.write('220 test\r\n');
    socket.on('data', (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end >= 0; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data !== undefined) {
          if (line !== '.') data += `${line}\n`;
          else {
            received.push(data);
            socket.write(`${reply(data, received.length)}\r\n`);
            data = undefined;
          }
        } else if (line === 'DATA') {
          data = '';
          socket.write('354 go on\r\n');
        } else socket.write('250 ok\r\n');
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const { port } = server.address() as { port: number };
  return { received, url: `smtp://127.0.0.1:${port}` };
}

test('a mail written twice is one file, whole, and the same', async () => {
  const dir = join(await folder(), 'mail');
  const mailer = fileMailer(dir);
  await mailer.send(mail);
  const first = await readFile(join(dir, 'order-confirmed-7.eml'), 'utf8');
  await Promise.all([mailer.send(mail), mailer.send(mail)]);
  expect(await readdir(dir)).toEqual(['order-confirmed-7.eml']);
  expect(await readFile(join(dir, 'order-confirmed-7.eml'), 'utf8')).toBe(first);
  expect(first).toMatch(/^X-Order-ID: 7$/m);
  expect(first).toMatch(/^Message-ID:\s+<order-confirmed-7@banyan\.example>$/m);
  expect(first).toMatch(/^Date: Fri, 02 Jan 2026 03:04:05 \+0000$/m);
  expect(first).not.toMatch(/^Bcc:/m);
});

test('a folder that cannot be written is an error, and works again once it can', async () => {
  const dir = join(await folder(), 'mail');
  await writeFile(dir, 'in the way');
  const mailer = fileMailer(dir);
  await expect(mailer.send(mail)).rejects.toThrow(/EEXIST|ENOTDIR/);
  await rm(dir);
  await mailer.send(mail);
  expect(await readdir(dir)).toEqual(['order-confirmed-7.eml']);
});

test('by SMTP a repeat has the same Message-ID', async () => {
  const { received, url } = await smtpServer(() => '250 taken');
  const mailer = smtpMailer(url);
  cleanups.push(() => mailer.close());
  await mailer.send(mail);
  await mailer.send(mail);
  expect(received).toHaveLength(2);
  for (const one of received) expect(one).toMatch(/^Message-ID:\s+<order-confirmed-7@banyan\.example>$/m);
});

test('a permanent refusal is for good, a temporary one and a dead server are not', async () => {
  const { url } = await smtpServer((_, count) => (count === 1 ? '550 no such mailbox' : '451 later'));
  const mailer = smtpMailer(url);
  cleanups.push(() => mailer.close());
  await expect(mailer.send(mail)).rejects.toThrow(RefusedForGood);
  await expect(mailer.send(mail)).rejects.not.toThrow(RefusedForGood);
  const dead = smtpMailer('smtp://127.0.0.1:9');
  cleanups.push(() => dead.close());
  await expect(dead.send(mail)).rejects.not.toThrow(RefusedForGood);
});
