// What is moved, between which servers, and how everything that stands for it on a server is called: names are derived, so
// that whoever comes after a kill finds what is there. It does nothing.
import { createHash } from 'node:crypto';

export interface ServerAt {
  readonly name: string;
  /** Of a role that may create roles and subscriptions. */
  readonly adminUrl: string;
}

export interface Moving {
  readonly module: string;
  readonly schema: string;
  /** The module's own role. */
  readonly runtime: string;
  /** The role that owns the schema's tables. */
  readonly owner: string;
  /** The password of `pairRole`, the same on every server. */
  readonly pairPassword: string;
}

/** The source is the owner of the store, or was until the commit point. */
export interface Between {
  readonly source: ServerAt;
  readonly target: ServerAt;
  readonly moving: Moving;
}

/** As whom one server reads the other's changes; it may read the one schema and write nothing. */
export function pairRole({ runtime }: Pick<Moving, 'runtime'>): string {
  return `${runtime}_pair`;
}

/** All tables of the store, on either server. */
export function publicationOf({ runtime }: Moving): string {
  return runtime;
}

/**
 * The subscription on the server that follows and, by the same name, its slot on the one that is followed. Slots belong to
 * a whole server, so the databases are in it.
 */
export function linkOf(from: ServerAt, to: ServerAt, { runtime }: Moving): string {
  const name = `${runtime}_to_${to.name.replaceAll(/[^a-z0-9_]/g, '_')}`;
  const both = [name, databaseOf(from), databaseOf(to)].join('\n');
  return `${name.slice(0, 50)}_${createHash('sha256').update(both).digest('hex').slice(0, 8)}`;
}

function databaseOf({ adminUrl }: ServerAt): string {
  return new URL(adminUrl).pathname;
}
