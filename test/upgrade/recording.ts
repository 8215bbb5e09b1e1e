// What is stored of the shops that older releases ran, in recordings/<release>/: the database as a plain SQL dump, the
// files of DATA_DIR, and what is known of its orders, whose outcome the data decide. The secrets among it are of shops that
// never served anybody. It knows nothing of how they came about (record.ts), nor of what becomes of them.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
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

const folder = join(import.meta.dirname, 'recordings');

/** The first seven digits of each release that there is a recording of. */
export const releases: readonly string[] = readdirSync(folder).sort();

/** By path in DATA_DIR. */
export type Files = Readonly<Record<string, string>>;

export interface Stored {
  readonly recording: Recording;
  readonly database: string;
  readonly files: Files;
}

export function writeRecording({ recording, database, files }: Stored): void {
  const place = join(folder, recording.release.slice(0, 7));
  mkdirSync(place, { recursive: true });
  pack(place, 'recording.json', JSON.stringify(recording));
  pack(place, 'database.sql', database);
  pack(place, 'data-dir.json', JSON.stringify(files));
}

export function readRecording(release: string): Stored {
  const place = join(folder, release);
  return {
    recording: JSON.parse(unpack(place, 'recording.json')),
    database: unpack(place, 'database.sql'),
    files: JSON.parse(unpack(place, 'data-dir.json')),
  };
}

function pack(place: string, name: string, text: string): void {
  writeFileSync(join(place, `${name}.gz`), gzipSync(text, { level: 9 }));
}

function unpack(place: string, name: string): string {
  return gunzipSync(readFileSync(join(place, `${name}.gz`))).toString();
}
