// The one place where kafkajs is reached into: its files that have no public way in, and what of them is relied upon.
// kafkajs 2.2.4 is the last of its line (docs/adr/0179), so they stay as they are; should another version be installed
// all the same, a host that uses Kafka ends at its start with the remedy, and not later on a batch that it misreads.
import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** The version whose inside this folder knows. */
const KNOWN = '2.2.4';

export interface Decoder {
  readonly buffer: Buffer;
  offset: number;
  readInt32(): number;
  readBytes(length: number): Buffer;
  canReadBytes(length: number): boolean;
}

export interface RequestQueue {
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  readonly pending: readonly unknown[];
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

interface FindsCoordinator {
  findGroupCoordinator(group: object): Promise<unknown>;
}

export interface Cluster {
  findGroupCoordinatorMetadata(group: object): Promise<unknown>;
  findControllerBroker(): Promise<FindsCoordinator>;
}

/** What each file hands out. */
interface Files {
  readonly cluster: { readonly prototype: Cluster };
  readonly 'network/requestQueue': { readonly prototype: RequestQueue };
  readonly 'protocol/decoder': new (buffer: Buffer) => Decoder;
  /** `M` is a message as kafkajs hands it on. */
  readonly 'protocol/requests/fetch/v4/decodeMessages': (decoder: Decoder) => Promise<never[]>;
  readonly 'protocol/requests/fetch/v1/response': { parse(data: never): Promise<never> };
  readonly 'protocol/recordBatch/v0/decoder': (decoder: Decoder) => Promise<{ readonly records: never[] }>;
  readonly 'protocol/recordBatch/crc32C': (bytes: Buffer) => number;
  readonly 'protocol/messageSet/decoder': (decoder: Decoder, size: number) => Promise<never[]>;
}

/** A file of kafkajs' inside, as kafkajs has it itself. */
export function inside<P extends keyof Files>(path: P): Files[P] {
  return load(`kafkajs/src/${path}`) as Files[P];
}

/** For whatever of kafkajs asks for that file from now on. */
export function replaceInside<P extends keyof Files>(path: P, by: Files[P]): void {
  inside(path);
  load.cache[load.resolve(`kafkajs/src/${path}`)]!.exports = by;
}

const relied: Readonly<Record<keyof Files, (file: unknown) => boolean>> = {
  cluster: (file) => {
    const { findGroupCoordinatorMetadata, findControllerBroker } = (file as Files['cluster']).prototype;
    return isFunction(findGroupCoordinatorMetadata) && isFunction(findControllerBroker);
  },
  'network/requestQueue': (file) =>
    isFunction((file as Files['network/requestQueue']).prototype.scheduleCheckPendingRequests),
  'protocol/decoder': isFunction,
  'protocol/requests/fetch/v4/decodeMessages': isFunction,
  'protocol/requests/fetch/v1/response': (file) => isFunction((file as { parse?: unknown }).parse),
  'protocol/recordBatch/v0/decoder': isFunction,
  'protocol/recordBatch/crc32C': isFunction,
  'protocol/messageSet/decoder': isFunction,
};

/** At the start of a host that uses Kafka. Throws when kafkajs is not the one that is known here; says what to do. */
export function checkInside(require: (id: string) => unknown = load): void {
  const { version } = require('kafkajs/package.json') as { version: string };
  const wrong = Object.entries(relied).find(([path, is]) => {
    try {
      return !is(require(`kafkajs/src/${path}`));
    } catch {
      return true;
    }
  });
  if (version === KNOWN && !wrong) return;
  throw new Error(
    `kafkajs ${version} is installed${wrong ? ` without its ${wrong[0]}` : ''}. The log on Kafka mends what kafkajs ${KNOWN} does ` +
      'and knows that version alone: run `npm ci`, which installs it, or leave BROKER_URL out and use the log in PostgreSQL.',
  );
}

function isFunction(one: unknown): boolean {
  return typeof one === 'function';
}
