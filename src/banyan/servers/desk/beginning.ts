// How something is begun with a store, or ended before its time: looked at as it stands, refused with a reason, or written
// down for a coordinator. What is found at once is answered at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { problem } from '../../contract/problem.ts';
import { inWords } from '../tasks/failures.ts';
import type { MoveRow, Wish } from '../tasks/rows.ts';
import { isOpen, mayAbort, type Task } from '../tasks/steps.ts';
import { type Store, stores } from './contract.ts';
import type { Desk, Ground } from './desk.ts';
import { noMove, nothingToEnd, notPaired, pairBroken, pairStands, tooLate } from './refusals.ts';

export interface StoresOptions extends Ground {
  /** There is something to do. */
  readonly wake: () => void;
}

export interface Wishes {
  readonly dryRun?: boolean | undefined;
  readonly rehearse?: boolean | undefined;
  readonly loseUnreplicated?: boolean | undefined;
}

/** For the security log. */
interface Call {
  change?: { readonly before?: unknown; readonly after?: unknown } | undefined;
}

export interface Beginning {
  move(module: string, server: string, wishes: Wishes, by: string, call: Call): Promise<Store>;
  ofPair(module: string, task: 'verify' | 'finish', by: string, call: Call): Promise<Store>;
  abort(module: string, by: string, call: Call): Promise<Store>;
}

/** So long the answer to a move waits for what the pre-flight finds; a dry run is nothing else. */
const FINDINGS_MS = 2_000;
const DRY_MS = 25_000;
const LOOK_MS = 50;

export function openBeginning({ rows, wake }: StoresOptions, desk: Desk): Beginning {
  const begin = async (wish: Wish): Promise<MoveRow> => {
    const row = await rows.begin(wish);
    if (!row) throw await desk.running(wish.module);
    wake();
    return row;
  };

  const unlessRefused = async ({ id, module, walk: { task } }: MoveRow): Promise<Store> => {
    const until = performance.now() + (task === 'check' ? DRY_MS : FINDINGS_MS);
    let row = await rows.read(id);
    while (row && isOpen(row.walk) && row.walk.step === 'preflight' && performance.now() < until) {
      await sleep(LOOK_MS);
      row = await rows.read(id);
    }
    if (row?.walk.state === 'refused') throw refusalOf(row);
    return desk.show(module);
  };

  return {
    async move(module, server, wishes, by, call) {
      const { shown, place, pair, newest } = await desk.entry(module);
      const task = taskOf(wishes);
      const source = shown.server;
      if (server === source) {
        if (shown.state === 'moving') throw await desk.running(module);
        return desk.show(module);
      }
      const paired = place?.pairedWith === server;
      // Of a server that is lost nothing is asked.
      await desk.refuseUnreachable(module, task === 'lose' ? [server] : [source, server]);
      if (!paired && place?.pairedWith)
        throw pairStands(module, place.pairedWith, server, isLeft(newest, place.pairedWith));
      if (task === 'lose' && !paired) throw notPaired(module);
      if (paired && task !== 'lose' && pair?.state === 'broken') throw pairBroken(module, pair.reason);
      await desk.refuseTooOld(module);
      const row = await begin({ module, task, source, target: server, paired, by });
      call.change = { before: { server: source }, after: { server, task } };
      return unlessRefused(row);
    },

    async ofPair(module, task, by, call) {
      const { place, shown } = await desk.entry(module);
      if (!place?.pairedWith) throw notPaired(module);
      const { server: source, pairedWith: target } = place;
      await desk.refuseUnreachable(module, [source, target]);
      await begin({ module, task, source, target, paired: true, by });
      call.change = { before: { server: shown.server, state: shown.state }, after: { task } };
      return desk.show(module);
    },

    async abort(module, by, call) {
      const { newest, place } = await desk.entry(module);
      if (newest && isOpen(newest.walk)) {
        if (!mayAbort(newest.walk)) throw tooLate(module, newest);
        await rows.unwant(module);
        wake();
        const { task, step } = newest.walk;
        call.change = { before: { task, step }, after: { task: 'abort' } };
        return desk.show(module);
      }
      // A move that was rolled back has left what it copied.
      if (!place?.pairedWith) throw noMove(module);
      if (!isLeft(newest, place.pairedWith)) throw nothingToEnd(module, place.server, place.pairedWith);
      const { source, target } = newest;
      await begin({ module, task: 'abort', source, target, paired: true, by });
      call.change = { before: { state: 'paired' }, after: { task: 'abort' } };
      return desk.show(module);
    },
  };
}

/** Rolled back, and what it copied is there. */
const isLeft = (newest: MoveRow | undefined, pairedWith: string): newest is MoveRow =>
  newest?.walk.state === 'rolled-back' && pairedWith === newest.target;

function refusalOf({ module, walk, found: { findings = [] } }: MoveRow) {
  const code = findings.some((one) => one.code === 'pair-broken') ? 'pair-broken' : 'not-movable';
  return problem(stores, code, {
    detail: `${module} stays where it is: ${inWords(findings) || walk.why}.`,
    extra: { findings },
  });
}

function taskOf({ dryRun = false, rehearse = false, loseUnreplicated = false }: Wishes): Task {
  if (dryRun) return 'check';
  if (loseUnreplicated) return 'lose';
  return rehearse ? 'rehearse' : 'move';
}
