// A release of a module beside the one before: a row says which share of the keys its instances get (routing/release.ts), and
// every change of it is a row of the module's history. Guarantees, decided in the transaction that writes it: a release gets
// keys only while a healthy instance of it is registered, and loses some only while one of another release is; every live host
// that chooses among the instances can tell releases apart; one deploy of a module is over before the next one has a share.
import type { Deploy } from '../routing/snapshot.ts';
import type { Sql } from '../store/store.ts';
import type { Change } from './change.ts';
import { healthyInstance } from './flags.ts';
import { type Who, writeNote } from './history.ts';
import { SILENT_SQL } from './schema.ts';
import { KNOWS_RELEASES } from './words.ts';

export type DeployOutcome =
  | 'changed'
  | 'same'
  | 'unknown-module'
  | 'none-deployed'
  | 'deploy-running'
  | 'host-too-old'
  | 'no-instance'
  | 'no-other-instance'
  | 'several-releases';

export interface DeployAnswer {
  readonly outcome: DeployOutcome;
  /** The one that hosts have to apply for it to hold everywhere. */
  readonly version: number;
  /** With `host-too-old`: the ids of those that cannot tell releases apart. */
  readonly tooOld: readonly string[];
  /** As it was. */
  readonly before: Deploy | undefined;
  /** As it is, or was wished in vain. */
  readonly after: Deploy | undefined;
}

export interface DeployWish {
  /** Absent: the one that is deployed. */
  readonly release?: string | undefined;
  /** Absent: what it has, of a release that is new none. */
  readonly percent?: number | undefined;
}

export interface Deploys {
  deploy(module: string, wish: DeployWish, who: Who): Promise<DeployAnswer>;
  /** From then on all instances are alike. Refused while they are of several releases. */
  end(module: string, who: Who): Promise<DeployAnswer>;
}

type Decision = Omit<DeployAnswer, 'version'>;

export function createDeploys(change: Change): Deploys {
  const decide = async (module: string, work: (tx: Sql, next: number) => Promise<Decision>) => {
    let decision: Decision = { outcome: 'unknown-module', tooOld: [], before: undefined, after: undefined };
    const version = await change(async (tx, next) => {
      const { rowCount } = await tx.query('SELECT FROM placement WHERE module = $1', [module]);
      if (rowCount === 0) return false;
      decision = await work(tx, next);
      return decision.outcome === 'changed';
    });
    return { ...decision, version };
  };

  return {
    deploy: (module, wish, who) =>
      decide(module, async (tx, next) => {
        const [before, healthy] = [await deployed(tx, module), await healthyReleases(tx, module)];
        const after = wished(wish, before, healthy);
        const tooOld = await ignorantOf(tx, module);
        const outcome = after === undefined ? 'none-deployed' : refusal(before, after, healthy, tooOld);
        if (after === undefined || outcome !== 'changed') return { outcome, tooOld, before, after };
        await tx.query(
          `INSERT INTO deploy (module, release, percent, before, changed_by) VALUES ($1, $2, $3, $4, $5)
           ON CONFLICT (module) DO UPDATE SET release = $2, percent = $3, before = $4, changed_by = $5, changed_at = now()`,
          [module, after.release, after.percent, after.before, who.by],
        );
        await writeNote(tx, next, module, { ...who, reason: because(inWords(after), who) });
        return { outcome, tooOld, before, after };
      }),

    end: (module, who) =>
      decide(module, async (tx, next) => {
        const before = await deployed(tx, module);
        const stays = (outcome: DeployOutcome) => ({ outcome, tooOld: [], before, after: before });
        if (before === undefined) return stays('same');
        if ((await healthyReleases(tx, module)).length > 1) return stays('several-releases');
        await tx.query('DELETE FROM deploy WHERE module = $1', [module]);
        const over = `the deploy of ${before.release} is over`;
        await writeNote(tx, next, module, { ...who, reason: because(over, who) });
        return { outcome: 'changed', tooOld: [], before, after: undefined };
      }),
  };
}

const inWords = ({ release, percent }: Deploy) => `release ${release} gets ${percent} % of the keys`;

const because = (words: string, { reason }: Who) => (reason === undefined ? words : `${words}: ${reason}`);

/** Undefined: no release was named, and none is deployed. */
function wished(
  { release = '', percent }: DeployWish,
  now: Deploy | undefined,
  healthy: readonly string[],
): Deploy | undefined {
  if (now && (release === '' || release === now.release)) return { ...now, percent: percent ?? now.percent };
  if (release === '') return undefined;
  // Who serves before the next one: the last one, if it was given all.
  const serving = now === undefined ? healthy : now.percent === 100 ? [now.release] : now.before;
  return { release, percent: percent ?? 0, before: serving.filter((one) => one !== release) };
}

function refusal(
  before: Deploy | undefined,
  after: Deploy,
  healthy: readonly string[],
  tooOld: readonly string[],
): DeployOutcome {
  const { release, percent } = after;
  if (before && before.release === release && before.percent === percent) return 'same';
  if (tooOld.length > 0) return 'host-too-old';
  const isOther = before !== undefined && before.release !== release;
  if (isOther && before.percent > 0 && before.percent < 100) return 'deploy-running';
  if (percent > 0 && !healthy.includes(release)) return 'no-instance';
  const had = before === undefined || isOther ? 0 : before.percent;
  if (percent < had && healthy.every((one) => one === release)) return 'no-other-instance';
  return 'changed';
}

async function deployed(tx: Sql, module: string): Promise<Deploy | undefined> {
  const { rows } = await tx.query<Deploy>('SELECT release, percent, before FROM deploy WHERE module = $1', [
    module,
  ]);
  return rows[0];
}

/** Of the healthy instances, each once; '' for those that say none. */
async function healthyReleases(tx: Sql, module: string): Promise<string[]> {
  const { rows } = await tx.query<{ release: string }>(
    `SELECT DISTINCT coalesce(release, '') AS release FROM host WHERE ${healthyInstance(1)} ORDER BY 1`,
    [module],
  );
  return rows.map(({ release }) => release);
}

/** The ids of the live hosts that choose among the instances of the module, and cannot tell releases apart. */
async function ignorantOf(tx: Sql, module: string): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `SELECT id FROM host WHERE live AND NOT (${SILENT_SQL}) AND $2 <> ALL (speaks)
       AND (role <> 'service' OR modules && (SELECT coalesce(array_agg(name), '{}') FROM module WHERE $1 = ANY (uses)))
     ORDER BY id`,
    [module, KNOWS_RELEASES],
  );
  return rows.map(({ id }) => id);
}
