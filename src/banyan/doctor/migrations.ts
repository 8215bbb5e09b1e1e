// Whether each store has the tables that this version expects. A start migrates, so what is missing came later: from a backup, or
// with files of a new version under a host that runs on. Pure.
import { error, type Finding, ok, unknown, warning } from './finding.ts';
import type { ServerReading } from './server-reading.ts';

export function migrationsOf({ migrations, asked }: ServerReading): Finding[] {
  return Object.entries(migrations).flatMap(([module, compared]) => {
    if (typeof compared === 'string')
      return [
        unknown('migrations', module, compared, `See what else is found of the server ${asked.subject}`),
      ];
    const { pending, ahead } = compared;
    if (pending.length > 0)
      return [
        error(
          'migrations',
          module,
          `${inNumbers(pending)} to come on ${asked.subject}: ${pending.join(', ')}`,
          'Restart a monolith, which migrates: docs/operations.md#upgrades',
        ),
      ];
    if (ahead.length > 0)
      return [
        warning(
          'migrations',
          module,
          `has ${inNumbers(ahead)} that this version does not know: ${ahead.join(', ')}`,
          'Bring every host to the newer version: docs/operations.md#upgrades',
        ),
      ];
    return [ok('migrations', module, `all are done on ${asked.subject}`)];
  });
}

const inNumbers = ({ length }: readonly string[]) => `${length} migration${length === 1 ? '' : 's'}`;
