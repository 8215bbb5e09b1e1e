// Which way mail leaves: by SMTP where a server is set, else as files in DATA_DIR.
import { join } from 'node:path';
import { fileMailer } from './files.ts';
import type { Mailer } from './mailer.ts';
import { smtpMailer } from './smtp.ts';

export interface MailSettings {
  readonly smtpUrl: string | undefined;
  readonly dataDir: string;
}

export function openMailer({ smtpUrl, dataDir }: MailSettings): Mailer {
  return smtpUrl ? smtpMailer(smtpUrl) : fileMailer(join(dataDir, 'mail'));
}
