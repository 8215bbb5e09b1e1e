// The port to the outside: one mail out, by whatever carries it. The key names the mail for ever: sending
// it again must be harmless (a file is written over) or recognisable (the Message-ID is the same).
// It must not know why the mail is written.

export interface Mail {
  readonly key: string;
  readonly to: { readonly name: string; readonly address: string };
  readonly subject: string;
  readonly text: string;
  /** When it was decided to write it; the Date header, so that a repeat is the same mail. */
  readonly date: Date;
  /** Extra headers, for example the order's id. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Mailer {
  /** No mail takes longer than this, in milliseconds; a lease must outlast it. */
  readonly slowestMs: number;
  /** Rejects with RefusedForGood when trying again is of no use. */
  send(mail: Mail): Promise<void>;
  close(): Promise<void>;
}

export class RefusedForGood extends Error {}

const sender = { name: 'Banyan', address: 'shop@banyan.example' };

/** The mail as nodemailer takes it: every header that a repeat could change is fixed here. */
export function message({ key, to, subject, text, date, headers }: Mail) {
  return { from: sender, to, subject, text, date, messageId: `<${key}@banyan.example>`, headers };
}
