// The handlers of the ladders' contract. They read rows alone, so that every monolith answers the same; a move that places
// the module answers when every live host goes by it, as a flip does.
import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { storeErrors } from '../../placement/admin.ts';
import { ACKNOWLEDGE_MS, awaitApplied } from '../../placement/flip.ts';
import type { Follower } from '../../placement/follower.ts';
import type { Moved, Moves } from '../climb/moves.ts';
import type { LadderRows } from '../climb/rows.ts';
import type { Happening } from '../climb/steps.ts';
import type { Announcer } from '../notices/announcer.ts';
import type { Ladder, ladders } from './contract.ts';
import { type Ground, known, notRunning, policyFor, refusalOf, refuseIfLockedOut } from './refusals.ts';
import { shownOf } from './shown.ts';

export interface LadderOptions extends Ground {
  readonly rows: LadderRows & Moves;
  readonly follower: Follower;
  readonly announcer: Announcer;
  /** There is something to judge. */
  readonly wake: () => void;
}

interface Desk {
  show(module: string): Promise<Ladder>;
  /** What was moved is told: to whoever listens, then to every host. */
  made(module: string, moved: Moved, by: string): Promise<Ladder>;
  happen(module: string, happening: Happening & { readonly by: string }): Promise<Ladder>;
}

function deskOf(options: LadderOptions): Desk {
  const { rows, announcer, wake } = options;

  const show = async (module: string): Promise<Ladder> => {
    await known(options, module);
    const [row, evidence, shadow] = await Promise.all([
      rows.read(module),
      rows.evidence(module),
      options.shadowing.counts(module),
    ]);
    return shownOf(module, row, evidence, shadow);
  };

  const made = async (module: string, moved: Moved, by: string): Promise<Ladder> => {
    announcer.tell(module, moved, by, await rows.evidence(module));
    wake();
    if (moved.act) {
      await options.follower.refresh();
      await awaitApplied(options.store, moved.version, ACKNOWLEDGE_MS);
    }
    return show(module);
  };

  const happen = async (module: string, happening: Happening & { by: string }): Promise<Ladder> => {
    await known(options, module);
    const outcome = await rows.happen(module, happening);
    if (!('moved' in outcome)) throw await refusalOf(options, module, outcome);
    const { moved } = outcome;
    if (!moved.overtaken) return made(module, moved, happening.by);
    announcer.tell(module, moved, happening.by, []);
    throw notRunning(`${moved.after.reason}.`);
  };

  return { show, made, happen };
}

export function ladderHandlers(options: LadderOptions): Handlers<typeof ladders> {
  const { rows } = options;
  const { show, made, happen } = deskOf(options);

  const acted =
    (on: 'pause' | 'resume' | 'promote' | 'demote'): Handlers<typeof ladders>['pause'] =>
    async ({ module, reason, changedBy }, call) =>
      storeErrors(async () => {
        const by = doneBy(call.principal, changedBy);
        const before = await rows.read(module);
        const why = reason === undefined ? {} : { reason };
        const happening =
          on === 'promote'
            ? {
                ...{ on, by, reason: reason ?? 'by hand', near: before?.climb.frozen ?? {} },
                unjudged: (await options.shadowing.counts(module)).unjudged ?? [],
              }
            : { on, by, ...why };
        const after = await happen(module, happening);
        call.change = { before: stateOf(before?.climb), after: stateOf(after) };
        return after;
      });

  return {
    show: async ({ module }) => storeErrors(() => show(module)),

    samples: async ({ module }) =>
      storeErrors(async () => {
        await known(options, module);
        return { items: await rows.samples(module) };
      }),

    start: async ({ module, changedBy, ...wish }, call) =>
      storeErrors(async () => {
        const tables = await known(options, module);
        const policy = await policyFor(options, module, wish);
        await refuseIfLockedOut(options, tables, module);
        const by = doneBy(call.principal, changedBy);
        const outcome = await rows.start(module, policy, by);
        if (!('moved' in outcome)) throw await refusalOf(options, module, outcome);
        call.change = { before: stateOf(outcome.moved.before), after: stateOf(outcome.moved.after) };
        return made(module, outcome.moved, by);
      }),

    stop: async ({ module, reason, changedBy }, call) =>
      storeErrors(async () => {
        await known(options, module);
        const before = await rows.read(module);
        const by = doneBy(call.principal, changedBy);
        const outcome = await rows.happen(module, {
          on: 'stop',
          by,
          ...(reason !== undefined && { reason }),
        });
        // There is none, or it has ended: it is as was asked for.
        if (!('moved' in outcome)) return show(module);
        call.change = { before: stateOf(before?.climb), after: stateOf(outcome.moved.after) };
        return made(module, outcome.moved, by);
      }),

    pause: acted('pause'),
    resume: acted('resume'),
    promote: acted('promote'),
    demote: acted('demote'),
  };
}

const stateOf = (climb: { readonly state: string; readonly rung: string | null } | undefined) =>
  climb ? { state: climb.state, rung: climb.rung } : { state: 'none' };
