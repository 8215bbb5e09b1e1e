// Who may enter the databases of a server. On one that is Banyan's alone nobody may but who was let in by name, and nobody
// makes temporary tables; on anybody else's that is not ours to change, so it is said once, with the statements to run.
import pg from 'pg';
import type { Logger } from 'pino';
import type { ServerFacts } from './server-check.ts';

/** Our own roles were let in by name (roles.ts); a superuser needs no right. */
export async function closeServer(client: pg.Client, { open }: ServerFacts): Promise<void> {
  for (const name of open) await client.query(closing(name));
}

export function tellOfOpen({ open: all, database }: ServerFacts, log: Logger): void {
  // Nobody is let into that one, whoever may.
  const open = all.filter((name) => name !== 'template0');
  if (open.length === 0) return;
  const others = open.filter((name) => name !== database).length;
  log.info(
    `The roles of modules may make temporary tables in ${database} and enter ${others} other databases, as every role of this ` +
      `server may. Where the server is Banyan's alone, take that away as a superuser: ${open.map(closing).join('; ')}`,
  );
}

function closing(database: string): string {
  return `REVOKE CONNECT, TEMPORARY ON DATABASE ${pg.escapeIdentifier(database)} FROM PUBLIC`;
}
