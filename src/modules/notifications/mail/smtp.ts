// Mail by SMTP: at least once. A host killed between the server's yes and our record sends it again with
// the same Message-ID, by which mail servers and readers drop the second.
import { type Mail, type Mailer, message, RefusedForGood } from './mailer.ts';

export function smtpMailer(url: string): Mailer {
  // Loaded with the first mail: it would cost every start 40 files.
  const open = async () =>
    (await import('nodemailer')).createTransport({
      url,
      pool: true,
      maxConnections: 4,
      connectionTimeout: 4_000,
      greetingTimeout: 4_000,
      socketTimeout: 5_000,
    });
  let transport: ReturnType<typeof open> | undefined;

  return {
    slowestMs: 14_000,
    async send(mail: Mail) {
      try {
        transport ??= open();
        await (await transport).sendMail(message(mail));
      } catch (error) {
        // RFC 5321 4.2.1: 5yz is a permanent refusal, 4yz and broken connections are not.
        const code = (error as { responseCode?: number }).responseCode ?? 0;
        if (code >= 500 && code < 600)
          throw new RefusedForGood(`the mail server refused: ${(error as Error).message}`, { cause: error });
        throw error;
      }
    },
    async close() {
      (await transport)?.close();
    },
  };
}
