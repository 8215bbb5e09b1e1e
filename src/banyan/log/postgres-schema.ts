// The schema of the Postgres log (postgres-log.sql): of its own and with a role of its own, so that no module can write
// another's topic by SQL.

import type { KernelSchema } from '../postgres/kernel-schema.ts';
import { readSql } from '../postgres/sql-file.ts';

export const logSchema: KernelSchema = {
  schema: 'banyan_log',
  role: 'banyan_log',
  ddl: readSql(import.meta.url, './postgres-log.sql'),
};
