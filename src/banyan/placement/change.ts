// A change of the control tables: what whoever keeps them is given, so that flags, registry and services know no store.
import type { Sql } from '../store/store.ts';

/** Does its work under the version lock. The version is taken, and followers told, if it answers true. */
export type Change = (work: (sql: Sql, version: number) => Promise<boolean>) => Promise<number>;
