// What is done at each step of a task: the mechanics in their order. Each may be done twice, since whoever did it may be
// gone. Where it stands is the walker's, what follows steps.ts's.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlStore } from '../../placement/store.ts';
import { inWords, NoUse } from './failures.ts';
import type { LeftRows } from './left-rows.ts';
import type { Between, Copied, Mechanics, Places } from './mechanics.ts';
import type { Found, MoveRow } from './rows.ts';
import type { Happening, Step, Walk } from './steps.ts';

export interface Done {
  readonly happening: Happening;
  readonly found: Found;
}

export interface StepOptions {
  readonly row: MoveRow;
  readonly store: Pick<ControlStore, 'change'>;
  readonly places: Places;
  readonly mechanics: Mechanics;
  readonly lefts: LeftRows;
  readonly signal: AbortSignal;
  both(): Promise<Between>;
  readonly pause: {
    /** Answers the epoch in which hosts say that they are held. */
    hold(): Promise<number>;
    commit(both: Between): Promise<void>;
    /** So long the last ones like it took, in milliseconds. */
    commitMs(): number;
    release(): Promise<void>;
    stillOurs(): Promise<void>;
  };
  keep(found: Found): Promise<void>;
}

const done: Done = { happening: { on: 'done' }, found: {} };

/** Progress is stored so often. */
const KEEP_MS = 1_000;
/** So long it may take until hosts are told and have shut their gates: within the hold's share of the pause. */
const HELD_MS = 180;
const LOOK_MS = 5;
/** Before a pause is begun: so many commits in control in a row, each within so many ms. */
const QUICK_COMMITS = 3;
const QUICK_MS = 60;
const SLOW_WAIT_MS = 500;
/** Hosts beat twice a second, services once: who is silent for longer would not hold in time. After 3 s it is nobody's host. */
const HEARD_MS = 1_500;
/** So long hosts are waited for that make their connections to the target; one that comes to nothing costs time within the pause. */
const WARM_MS = 2_000;
/** As long as the gate waits. */
const QUIET_MS = 600_000;
/** So long a host is waited for that does not say where it is: then it is named. */
const ON_MS = 10_000;

export function createSteps(options: StepOptions): (walk: Walk) => Promise<Done> {
  let snapshots: unknown;
  const doing: Readonly<Record<Step, (walk: Walk, both: Between) => Promise<Done>>> = {
    preflight: (walk, both) => preflight(options, walk, both),
    provisioned: async ({ paired }, both) => {
      if (!paired) await options.mechanics.provision(both);
      return done;
    },
    copying: (walk, both) => copy(options, walk, both),
    paired: (_walk, both) => ready(options, both),
    held: async (walk, both) => {
      const paused = await (walk.task === 'lose' ? lose(options, both) : pause(options, walk, both));
      snapshots = paused.snapshots;
      return paused;
    },
    moved: (_walk, both) => moved(options, both),
    verified: ({ task }, both) => compare(options, task === 'verify' ? both : swapped(both), take()),
    clearing: (walk, both) =>
      walk.task === 'drop' ? dropLeft(options, both) : clear(options, walk, both, take()),
  };
  /** Whoever compares ends them. */
  const take = () => {
    const taken = snapshots;
    snapshots = undefined;
    return taken;
  };
  return async (walk) => doing[walk.step](walk, await options.both());
}

/** After its move the target is the owner. */
const swapped = ({ source, target, moving }: Between): Between => ({
  source: target,
  target: source,
  moving,
});

async function preflight({ mechanics }: StepOptions, { task, paired }: Walk, both: Between): Promise<Done> {
  if (task === 'lose') return { ...done, found: { notes: [await mechanics.wouldBeLost(both)] } };
  if (paired) {
    const { state, reason } = await mechanics.pairState(both);
    if (state === 'paired') return done;
    const findings = [
      {
        code: 'pair-broken',
        detail: `the pair of ${both.moving.module} is ${state}${reason ? `: ${reason}` : ''}`,
        remedy: `end it, then move again with a new copy: npx banyan store finish ${both.moving.module}`,
      },
    ];
    return { happening: { on: 'refused', why: inWords(findings) }, found: { findings } };
  }
  const findings = await mechanics.preflight(both);
  if (findings.length === 0) return { ...done, found: { findings } };
  return { happening: { on: 'refused', why: inWords(findings) }, found: { findings } };
}

async function copy(options: StepOptions, { paired }: Walk, both: Between): Promise<Done> {
  const { mechanics, store, places, signal } = options;
  if (paired) return done;
  const { module } = both.moving;
  // Before anything is there that has to be taken away again.
  await pairWith(store, places, module, both.target.name);
  const progress = throttled(options, (rows) => ({ rows }));
  await mechanics.makePair(both, progress.tell, signal);
  return { ...done, found: await progress.last() };
}

async function ready(options: StepOptions, both: Between): Promise<Done> {
  const { mechanics, signal } = options;
  const { state, reason, lagBytes, lagMs } = await mechanics.pairState(both);
  if (state === 'broken' || state === 'none')
    throw new NoUse(`the pair is ${state === 'none' ? 'gone' : 'broken'}${reason ? `: ${reason}` : ''}`);
  await mechanics.refresh(both);
  await warmUp(options, both);
  const end = performance.now() + QUIET_MS;
  for (;;) {
    await mechanics.lagGate(both, signal);
    const why = (await slowCommit(options)) ?? (await unheard(options, both));
    if (why === undefined) break;
    if (performance.now() >= end) throw new NoUse(`for ten minutes no pause could be begun: ${why}`);
    await sleep(SLOW_WAIT_MS, undefined, { signal });
  }
  return { ...done, found: { lag: { bytes: lagBytes, ms: lagMs } } };
}

/** A host of the version before never says that it is ready. */
async function warmUp({ store, places, signal }: StepOptions, both: Between): Promise<void> {
  const { module } = both.moving;
  await store.change(async (tx) => {
    await places.announce(tx, module, both.target);
    return true;
  });
  const until = performance.now() + WARM_MS;
  while ((await places.notReady(module)).length > 0 && performance.now() < until)
    await sleep(LOOK_MS, undefined, { signal });
}

/** Undefined: what hosts wait for in a pause is quick at present. */
async function slowCommit({ keep }: StepOptions): Promise<string | undefined> {
  for (let n = 0; n < QUICK_COMMITS; n += 1) {
    const begun = performance.now();
    await keep({});
    const took = Math.round(performance.now() - begun);
    if (took > QUICK_MS) return `control took ${took} ms for a commit, and a pause needs ${QUICK_MS}`;
  }
  return undefined;
}

/** Undefined: every host that would have to hold was heard of just now. One that is dead is waited out. */
async function unheard({ places }: StepOptions, { moving }: Between): Promise<string | undefined> {
  const silent = await places.unheard(moving.module, HEARD_MS);
  return silent.length > 0 ? `nothing was heard of ${silent.join(', ')} for ${HEARD_MS} ms` : undefined;
}

async function pause(
  options: StepOptions,
  { task }: Walk,
  both: Between,
): Promise<Done & { snapshots?: unknown }> {
  const { mechanics, places, pause: by } = options;
  const { module } = both.moving;
  let begun = false;
  const hold = async () => {
    begun = true;
    const until = performance.now() + HELD_MS;
    const epoch = await by.hold();
    for (;;) {
      const late = await places.notHeld(module, epoch);
      if (late.length === 0 || performance.now() > until) return late;
      await sleep(LOOK_MS);
    }
  };
  const {
    moved,
    why,
    code = null,
    left,
    numbers,
    snapshots,
  } = await mechanics.pause(
    both,
    { ...by, hold, commit: () => by.commit(both) },
    { rehearse: task === 'rehearse' },
  );
  const passed = moved || (task === 'rehearse' && why === undefined);
  const happening: Happening = passed
    ? { on: 'done' }
    : { on: 'failed', why: why ?? 'the pause came to nothing', unbegun: !begun };
  return { happening, found: { numbers, code, notes: left === undefined ? [] : [left] }, snapshots };
}

/** Who is lost holds nothing up: hosts are told to wait as long as they answer, and no longer. */
async function lose(
  { mechanics, places, pause: by }: StepOptions,
  both: Between,
): Promise<Done & { snapshots?: unknown }> {
  const epoch = await by.hold();
  const until = performance.now() + HELD_MS;
  while ((await places.notHeld(both.moving.module, epoch)).length > 0 && performance.now() < until)
    await sleep(LOOK_MS);
  await mechanics.takeOver(both);
  await by.commit(both);
  return done;
}

/** A fence that somebody took away in between stands again; then every host is waited for. */
async function moved({ mechanics, places, row, signal }: StepOptions, both: Between): Promise<Done> {
  const { module } = both.moving;
  let left: string | undefined;
  if (row.walk.task === 'lose') await mechanics.dropPair(both);
  else left = await mechanics.recover(both, both.target);
  const epoch = (await places.read()).find((place) => place.module === module)?.epoch ?? 0;
  const until = performance.now() + ON_MS;
  let late = await places.notOn(module, epoch);
  while (late.length > 0 && performance.now() < until) {
    await sleep(LOOK_MS, undefined, { signal });
    late = await places.notOn(module, epoch);
  }
  const notes = late.map((id) => `${id} has not said that it uses the new server; the old one refuses it`);
  if (left !== undefined) notes.unshift(left);
  return { ...done, found: notes.length > 0 ? { notes } : {} };
}

async function compare(options: StepOptions, both: Between, snapshots: unknown): Promise<Done> {
  const { mechanics, signal } = options;
  const progress = throttled(options, (rows) => ({ rows }));
  const tables = await mechanics.compare(both, snapshots, progress.tell, signal);
  const unlike = tables.filter(({ alike }) => !alike).map(({ table }) => table);
  const found = { ...(await progress.last()), tables };
  if (unlike.length === 0) return { ...done, found };
  return { happening: { on: 'done', why: `these tables are not alike: ${unlike.join(', ')}` }, found };
}

async function clear(options: StepOptions, { task }: Walk, both: Between, snapshots: unknown): Promise<Done> {
  const { mechanics, store, places, lefts } = options;
  const found = snapshots === undefined ? {} : (await compare(options, both, snapshots)).found;
  const notes = await mechanics.dropPair(both);
  // What could not be removed fails the step. After `finish` and `abort` it is only told: a person may ask for them again.
  if (notes.length > 0 && task !== 'finish' && task !== 'abort') throw new Error(notes.join('; '));
  const { module } = both.moving;
  await store.change(async (tx) => {
    await places.pairWith(tx, module, null);
    // After `finish` the tables of the other server are kept for some days. What a failed move copied is not: its next copy
    // begins by emptying it.
    if (task === 'finish') await lefts.leave(tx, module, both.target.name);
    return true;
  });
  return { ...done, found: notes.length > 0 ? { ...found, notes: [...notes] } : found };
}

/** Nothing else is done to this store meanwhile: the owner it has it keeps. */
async function dropLeft({ mechanics, places, lefts }: StepOptions, both: Between): Promise<Done> {
  const { module } = both.moving;
  const left = (await lefts.read()).find((one) => one.module === module && one.server === both.target.name);
  const place = (await places.read()).find((one) => one.module === module);
  if (!left || [place?.server ?? both.source.name, place?.pairedWith].includes(left.server))
    throw new NoUse(`nothing of ${module} is left over on ${both.target.name}`);
  // It is tried again in a day.
  await mechanics.dropLeftover(both, left.leftAt).catch(({ message }: Error) => {
    throw new NoUse(message);
  });
  await lefts.forget(module, left.server);
  return done;
}

async function pairWith(
  { change }: Pick<ControlStore, 'change'>,
  places: Places,
  module: string,
  server: string | null,
): Promise<void> {
  await change(async (tx) => {
    await places.pairWith(tx, module, server);
    return true;
  });
}

/** Stored once a second; what cannot be stored is no reason to leave off. */
function throttled({ keep }: StepOptions, as: (rows: Copied) => Found) {
  let at = 0;
  let rows: Copied | undefined;
  let storing: Promise<void> = Promise.resolve();
  return {
    tell(copied: Copied): void {
      rows = copied;
      if (performance.now() - at < KEEP_MS) return;
      at = performance.now();
      storing = storing.then(() => keep(as(copied)).catch(() => {}));
    },
    async last(): Promise<Found> {
      await storing;
      return rows === undefined ? {} : as(rows);
    },
  };
}
