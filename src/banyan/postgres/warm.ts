// Connections that wait for work: opened, let in, and with the statements prepared that will be asked of them. The first
// questions to a new session read the catalogues for it, which on a small machine takes longer than a whole pause. Guarantee:
// nothing is run, so it needs no right on any table; what could not be prepared is parsed when it is asked, as ever.
// It must not know when they are used.
import type pg from 'pg';

export interface Prepared {
  readonly name: string;
  readonly text: string;
}

/** What PREPARE takes. */
const PREPARABLE = /^(?:\s|--[^\n]*\n|\/\*.*?\*\/)*(?:select|insert|update|delete|merge|with|values)\b/is;

/** What pg knows to be prepared on a connection. */
interface WithStatements {
  readonly connection: { readonly parsedStatements: Record<string, string> };
}

/** Resolves when so many connections of the pool are there, none of them new to its work. Rejects where one is not let in. */
export async function warm(
  pool: pg.Pool,
  connections: number,
  statements: readonly Prepared[],
): Promise<void> {
  const opening = await Promise.allSettled(Array.from({ length: connections }, () => pool.connect()));
  const open = opening.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  try {
    const refused = opening.find((one) => one.status === 'rejected');
    if (refused) throw refused.reason;
    // One after the other: whoever works meanwhile has the rest of the machine.
    for (const client of open) await prepareAll(client, statements);
  } finally {
    for (const client of open) client.release();
  }
}

async function prepareAll(client: pg.PoolClient, statements: readonly Prepared[]): Promise<void> {
  const { parsedStatements } = (client as unknown as WithStatements).connection;
  for (const { name, text } of statements) {
    if (parsedStatements[name] !== undefined || !PREPARABLE.test(text)) continue;
    const prepared = await client.query(`PREPARE "${name}" AS ${text}`).then(
      () => true,
      () => false,
    );
    if (prepared) parsedStatements[name] = text;
  }
}
