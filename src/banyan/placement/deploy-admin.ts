// The handlers of the deploys contract: what is wished is checked, written, and waited for as a flip is. Guarantee: whoever is
// refused is told what is there, and what to do.
import { doneBy } from '../context/principal.ts';
import type { Handlers } from '../contract/handlers.ts';
import { type Problem, problem } from '../contract/problem.ts';
import type { Deploy } from '../routing/snapshot.ts';
import { type AdminOptions, lockedOut, storeErrors } from './admin.ts';
import type { Entry } from './admin-contract.ts';
import { deploys } from './deploy-contract.ts';
import type { DeployAnswer } from './deploys.ts';
import { ACKNOWLEDGE_MS, awaitApplied } from './flip.ts';
import type { Follower } from './follower.ts';
import { keptOut } from './kept-out.ts';
import { entryOf } from './overview.ts';
import { unknownModule } from './scale.ts';
import type { ControlStore } from './store.ts';

export interface DeployOptions {
  readonly store: ControlStore;
  readonly follower: Pick<Follower, 'refresh'>;
  /** As of the flips (admin.ts). */
  readonly probe?: AdminOptions['probe'];
}

export function deployHandlers({ store, follower, probe }: DeployOptions): Handlers<typeof deploys> {
  /** As it is once hosts have heard of it. */
  const settled = async (module: string, answer: DeployAnswer) => {
    const { outcome, version } = answer;
    if (outcome !== 'changed' && outcome !== 'same') throw await refused(store, module, answer);
    await follower.refresh();
    const lagging = await awaitApplied(store, version, ACKNOWLEDGE_MS, [module]);
    const entry = entryOf(await store.read(), module)!;
    const note = noteOf(entry);
    return { ...entry, ...(lagging.length > 0 && { lagging }), ...(note !== undefined && { note }) };
  };

  return {
    deploy: async ({ module, release, percent, reason, changedBy }, call) =>
      storeErrors(async () => {
        const tables = await store.read();
        const named = release ?? entryOf(tables, module)?.deploy?.release;
        if (probe && named !== undefined && percent !== undefined && percent > 0) {
          const reasons = await lockedOut(tables, module, probe, named);
          if (reasons !== undefined)
            throw problem(deploys, 'instance-refuses', { detail: `${reasons}. Nothing has changed.` });
        }
        const who = { actor: 'operator', by: doneBy(call.principal, changedBy), reason } as const;
        const answer = await store.deploys.deploy(module, { release, percent }, who);
        const after = await settled(module, answer);
        call.change = { before: answer.before ?? {}, after: answer.after ?? {} };
        return after;
      }),

    end: async ({ module, changedBy }, call) =>
      storeErrors(async () => {
        const who = { actor: 'operator', by: doneBy(call.principal, changedBy) } as const;
        const answer = await store.deploys.end(module, who);
        const after = await settled(module, answer);
        call.change = { before: answer.before ?? {}, after: {} };
        return after;
      }),
  };
}

const idsOf = ({ instances }: Entry, isIt: (release: string) => boolean) =>
  instances.filter(({ healthy, release = '' }) => healthy && isIt(release)).map(({ id }) => id);

/** What the numbers alone do not say. */
function noteOf(entry: Entry): string | undefined {
  const { module, deploy, placement } = entry;
  if (deploy === undefined) return undefined;
  const { release } = deploy;
  const [its, others] = [idsOf(entry, (one) => one === release), idsOf(entry, (one) => one !== release)];
  if (its.length === 0) return `No instance of ${release} is there yet: what registers as it stands beside.`;
  if (others.length === 0 && deploy.percent < 100)
    return `No instance of another release is there: ${its.join(', ')} gets all requests meanwhile.`;
  if (placement === 'in-process' || placement === 'shadow')
    return `${module} serves in-process: what is shared here is what its service gets, once it gets some.`;
  return undefined;
}

const saidIn = (release: string) => (release === '' ? 'no release' : release);

async function refused(store: ControlStore, module: string, answer: DeployAnswer): Promise<Problem> {
  const tables = await store.read();
  const { outcome, before, after, tooOld } = answer;
  const entry = entryOf(tables, module);
  if (outcome === 'unknown-module' || !entry)
    return problem(deploys, 'module-unknown', { detail: unknownModule(module, tables) });
  if (outcome === 'none-deployed' || !after)
    return problem(deploys, 'none-deployed', {
      detail: `No release of ${module} is deployed. Name one: npx banyan deploy ${module} <release>`,
    });
  if (outcome === 'deploy-running')
    return problem(deploys, 'deploy-running', {
      detail:
        `${before!.release} of ${module} gets ${before!.percent} % of the keys. End that first: ` +
        `npx banyan deploy ${module} --percent 100, or --back`,
    });
  if (outcome === 'host-too-old') return hostTooOld(module, tooOld);
  if (outcome === 'several-releases') return severalReleases(entry);
  if (outcome === 'no-other-instance') return noOther(module, after);
  return noInstance(store, entry, after);
}

function hostTooOld(module: string, hosts: readonly string[]): Problem {
  const [are, them] = hosts.length === 1 ? ['is', 'it'] : ['are', 'them'];
  return problem(deploys, 'host-too-old', {
    detail:
      `${hosts.join(', ')} ${are} of a version that cannot tell releases of ${module} apart. Nothing has changed. ` +
      `Replace ${them} by this version, or stop ${them}, and try again.`,
  });
}

function severalReleases(entry: Entry): Problem {
  const { module, deploy, instances } = entry;
  const there = instances
    .filter(({ healthy }) => healthy)
    .map(({ id, release = '' }) => `${id} (${saidIn(release)})`);
  return problem(deploys, 'several-releases', {
    detail:
      `${there.join(', ')} would all serve at once. Give ${deploy!.release} all of the keys (npx banyan deploy ${module} ` +
      '--percent 100) or none (--back), stop the instances that get nothing, and end the deploy then.',
  });
}

const noOther = (module: string, { release }: Deploy): Problem =>
  problem(deploys, 'no-healthy-instance', {
    detail:
      `Nobody but ${release} is there to serve ${module}, so it keeps what it has. Start an instance of the release before, ` +
      'wait until `npx banyan status` shows it healthy, and try again.',
  });

/** Not there, not healthy, held out, or kept out: what to do is another thing each time. */
async function noInstance(store: ControlStore, entry: Entry, { release }: Deploy): Promise<Problem> {
  const { module, instances } = entry;
  const kept = await keptOut(store.sql, module, release);
  const its = instances.filter((one) => one.release === release);
  if (kept && its.length === 0)
    return problem(deploys, 'contract-incompatible', {
      detail:
        `${kept.id} came as ${release} of ${module} and was kept out: its contract breaks what its callers rely on. Nothing has ` +
        'changed. Make the change a compatible one: `npx banyan contract diff` says what is.',
      errors: [...kept.differences],
    });
  const others = [...new Set(instances.map((one) => saidIn(one.release ?? '')))];
  const words =
    its.length > 0
      ? `${its.map(({ id }) => id).join(', ')} is not healthy: it starts, or it does not answer; \`npx banyan status\` shows it`
      : `Start one with RELEASE=${release}; ${others.length === 0 ? 'no instance is there' : `there are: ${others.join(', ')}`}`;
  return problem(deploys, 'no-healthy-instance', {
    detail: `No healthy instance of ${release} of ${module} is registered, so nothing has changed. ${words}.`,
  });
}
