// What is stored of a shop that an older release ran, in recording/: its database as a plain SQL dump, the files of its
// DATA_DIR, and what is known of its orders, whose outcome the data decide. The secrets among it are of a shop that never
// served anybody. It knows nothing of how it came about (record.ts), nor of what becomes of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';

export interface RecordedOrder {
  readonly id: string;
  readonly userId: string;
  readonly style: 'choreography' | 'orchestration';
  /** Where it stood, in words. */
  readonly at: string;
  /** How it has to end, or has ended. */
  readonly ends: string;
  readonly reason?: string;
  readonly ended: boolean;
}

export interface RecordedCustomer {
  readonly id: string;
  readonly email: string;
  readonly token: string;
  /** The session was ended by the old release. */
  readonly revoked: boolean;
}

export interface Recording {
  /** The commit of the release that ran. */
  readonly release: string;
  /** When the dump was made, by the database's clock. */
  readonly at: string;
  readonly customers: readonly RecordedCustomer[];
  readonly orders: readonly RecordedOrder[];
  /** Pieces of each product before anything was ordered. */
  readonly stock: Readonly<Record<string, number>>;
  /** Of events in the outboxes, by module. */
  readonly unsent: Readonly<Record<string, readonly string[]>>;
  readonly dead: readonly { readonly id: string; readonly module: string; readonly orderId: string }[];
  readonly extracted: string;
}

const folder = join(import.meta.dirname, 'recording');
const pathOf = (name: string) => join(folder, `${name}.gz`);

/** By path in DATA_DIR. */
export type Files = Readonly<Record<string, string>>;

export function writeRecording(recording: Recording, database: string, files: Files): void {
  pack('recording.json', JSON.stringify(recording));
  pack('database.sql', database);
  pack('data-dir.json', JSON.stringify(files));
}

export function readRecording(): { recording: Recording; database: string; files: Files } {
  return {
    recording: JSON.parse(unpack('recording.json')),
    database: unpack('database.sql'),
    files: JSON.parse(unpack('data-dir.json')),
  };
}

function pack(name: string, text: string): void {
  writeFileSync(pathOf(name), gzipSync(text, { level: 9 }));
}

function unpack(name: string): string {
  return gunzipSync(readFileSync(pathOf(name))).toString();
}
