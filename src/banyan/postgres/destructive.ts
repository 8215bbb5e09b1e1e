// What of a migration two servers that follow each other cannot live through: definitions are not replicated, so for a while one
// has them and the other has not, and what one sends the other must still be able to take. What only adds (a table, a column
// that may be empty or has a default, an index) passes. It reads the SQL as text, and rather refuses too much.

const TAKES_AWAY: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/\bDROP\s+(TABLE|COLUMN|TYPE|SCHEMA|CONSTRAINT)\b/i, 'drops something'],
  [/\bRENAME\s+(TO|COLUMN|CONSTRAINT|\S+\s+TO)\b/i, 'renames something'],
  [/\bALTER\s+COLUMN\s+\S+\s+(SET\s+DATA\s+)?TYPE\b/i, 'changes the type of a column'],
  [/\bSET\s+NOT\s+NULL\b/i, 'lets a column be empty no more'],
  [/\bTRUNCATE\b/i, 'empties a table'],
  [/^\s*(INSERT|UPDATE|DELETE|MERGE)\b/i, 'changes rows'],
];

/** The statements that would break a pair, in words; none: it only adds. */
export function destructive(sql: string): string[] {
  const bare = sql.replace(/\/\*[\s\S]*?\*\//g, ' ').replace(/--[^\n]*/g, ' ');
  return bare.split(';').flatMap((statement) => {
    const found = TAKES_AWAY.find(([pattern]) => pattern.test(statement));
    return found ? [`${found[1]}: ${statement.trim().replace(/\s+/g, ' ').slice(0, 120)}`] : [];
  });
}
