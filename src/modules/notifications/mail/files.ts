// Mail as files, where no SMTP server is set: one .eml per mail, named by its key. Written beside and
// renamed, so a reader sees a whole file or none; written twice it is the same file, so a mail leaves once.
import { randomUUID } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Mail, type Mailer, message } from './mailer.ts';

export function fileMailer(folder: string): Mailer {
  // Loaded with the first mail: it would cost every start 40 files.
  const open = async () =>
    (await import('nodemailer')).createTransport({ streamTransport: true, buffer: true, newline: 'unix' });
  let composer: ReturnType<typeof open> | undefined;
  let made: Promise<unknown> | undefined;

  return {
    slowestMs: 2_000,
    async send(mail: Mail) {
      composer ??= open();
      const composed = await (await composer).sendMail(message(mail));
      // Two hosts, or two leases of one host, may write the same mail at once: each has a file of its own.
      const beside = join(folder, `.${mail.key}.${randomUUID()}.part`);
      try {
        made ??= mkdir(folder, { recursive: true, mode: 0o700 });
        await made;
        await writeFile(beside, composed.message as Buffer, { mode: 0o600 });
        await rename(beside, join(folder, `${mail.key}.eml`));
      } catch (error) {
        made = undefined;
        await rm(beside, { force: true }).catch(() => {});
        throw error;
      }
    },
    async close() {
      (await composer)?.close();
    },
  };
}
