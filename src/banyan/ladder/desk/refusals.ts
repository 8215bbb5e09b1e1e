// Why a ladder cannot be begun or changed, in words: what was asked for, who is there, what stands in the way.
import { type Problem, problem } from '../../contract/problem.ts';
import type { AccessProbe } from '../../identity/hop.ts';
import { lockedOut, whyNoInstance, whyTooOld } from '../../placement/admin.ts';
import type { ControlStore } from '../../placement/store.ts';
import type { Tables } from '../../placement/tables.ts';
import type { Instance } from '../../routing/snapshot.ts';
import type { Outcome } from '../climb/moves.ts';
import { placeInWords } from '../climb/steps.ts';
import { ADVISED, type Policy, policyOf } from '../judge/rungs.ts';
import type { Shadowing } from '../judge/shadowing.ts';
import { ladders } from './contract.ts';

/** Who can say why not. */
export interface Ground {
  readonly store: ControlStore;
  readonly shadowing: Shadowing;
  /** An authenticated round trip to an instance. Absent: instances are believed to let this host in. */
  readonly probe?: (instance: Instance) => Promise<AccessProbe>;
}

export async function known({ store }: Ground, module: string): Promise<Tables> {
  const tables = await store.read();
  if (tables.placements.some((row) => row.module === module)) return tables;
  const names = tables.placements.map((row) => row.module).join(', ');
  throw problem(ladders, 'module-unknown', {
    detail: `There is no module "${module}". There are: ${names}.`,
  });
}

export async function policyFor(
  { shadowing }: Ground,
  module: string,
  wish: Parameters<typeof policyOf>[0],
): Promise<Policy> {
  const refusal = await shadowing.refusal(module);
  // As advised, as far as it can be done here; who asks for a shadow by name is told that there is none.
  const steps = wish.steps ?? ADVISED.steps.filter((step) => step !== 'shadow' || refusal === undefined);
  const policy = policyOf({ ...wish, steps });
  if ('complaint' in policy)
    throw problem(ladders, 'steps-invalid', {
      detail: sentence(`${policy.complaint}.`),
    });
  if (refusal !== undefined && policy.rungs.includes('shadow'))
    throw problem(ladders, 'not-shadowable', { detail: refusal });
  return policy;
}

/** The first share would be a share of 503s. */
export async function refuseIfLockedOut({ probe }: Ground, tables: Tables, module: string): Promise<void> {
  const reasons = probe ? await lockedOut(tables, module, probe) : undefined;
  if (reasons === undefined) return;
  throw problem(ladders, 'instance-refuses', { detail: `${reasons}. ${module} stays where it is.` });
}

export async function refusalOf(
  { store }: Ground,
  module: string,
  outcome: Exclude<Outcome, { moved: unknown }>,
): Promise<Problem> {
  if ('open' in outcome)
    return problem(ladders, 'ladder-running', {
      detail:
        `${module} is on a ladder that is ${outcome.open.state}, ${placeInWords(outcome.open.rung)}. See: npx banyan ladder ` +
        `status ${module}. End it first: npx banyan ladder stop ${module}`,
    });
  if ('refused' in outcome)
    return outcome.at === 'start'
      ? problem(ladders, 'ladder-not-needed', { detail: `Of ${module} ${outcome.refused}.` })
      : notRunning(`${outcome.refused}. See: npx banyan ladder status ${module}`);
  if ('none' in outcome)
    return notRunning(`${module} was never on a ladder. Begin one: npx banyan ladder ${module}`);
  const tables = await store.read();
  const { unplaced, act } = outcome;
  if (unplaced.outcome === 'no-healthy-instance')
    return problem(ladders, 'no-healthy-instance', {
      detail: whyNoInstance(tables, module, `npx banyan ladder ${module}`),
    });
  return problem(ladders, 'host-too-old', { detail: whyTooOld(module, act.placement, unplaced.tooOld) });
}

export const notRunning = (detail: string) =>
  problem(ladders, 'ladder-not-running', { detail: sentence(detail) });

const sentence = (words: string) => words.replace(/^./, (first) => first.toUpperCase());
