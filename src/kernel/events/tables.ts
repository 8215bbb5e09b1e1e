// The tables that every module's events live in, inside the module's own schema: outbox and inbox commit
// together with the business rows, and they move with the module when its store moves.
// Idempotent: run by the schema's owner at every boot, also while other hosts work. The runtime role needs
// DML on the tables and EXECUTE on the functions, which it gets by the schema's default privileges.
import { auditTables } from './tables/audit.ts';
import { inboxTables } from './tables/inbox.ts';
import { obstacleTables } from './tables/obstacle.ts';
import { outboxTables } from './tables/outbox.ts';

export function moduleEventTables(schema: string): string {
  if (!/^[a-z][a-z0-9_]*$/.test(schema)) throw new Error(`"${schema}" is not a schema name`);
  return `${outboxTables(schema)}\n${inboxTables(schema)}\n${auditTables(schema)}
${obstacleTables(schema)}`;
}
