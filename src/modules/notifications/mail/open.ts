// Which way mail leaves: by SMTP where a server is set, else as files in a folder.
import { fileURLToPath } from 'node:url';
import { fileMailer } from './files.ts';
import type { Mailer } from './mailer.ts';
import { smtpMailer } from './smtp.ts';

export interface MailSettings {
  readonly smtpUrl: string | undefined;
  /** The folder, as a file: URL. */
  readonly mailUrl: string;
}

export function openMailer({ smtpUrl, mailUrl }: MailSettings): Mailer {
  return smtpUrl ? smtpMailer(smtpUrl) : fileMailer(fileURLToPath(mailUrl));
}
