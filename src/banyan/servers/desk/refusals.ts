// Why something is not done to a store as it stands, in words, with what to do. Pure.
import { type Problem, problem } from '../../contract/problem.ts';
import type { MoveRow } from '../tasks/rows.ts';
import { isCommitted } from '../tasks/steps.ts';
import { stores } from './contract.ts';

export function moveRunning(module: string, newest: MoveRow | undefined): Problem {
  const what = newest ? `${taskInWords(newest)}, at ${newest.walk.step}` : 'something else';
  return problem(stores, 'move-running', {
    detail: `To the store of ${module} is done: ${what}. See: npx banyan store show ${module}. End it: npx banyan store abort ${module}`,
  });
}

/** @param left the copy of a move that was rolled back follows, and no pair that somebody wants. */
export function pairStands(module: string, pairedWith: string, server: string, left: boolean): Problem {
  const detail = `${pairedWith} follows the store of ${module}, and one server at a time does`;
  const remedy = left
    ? `take the copy of the move that was rolled back away first: npx banyan store abort ${module}`
    : `end that pair first: npx banyan store finish ${module}`;
  return problem(stores, 'not-movable', {
    detail: `${module} cannot go to ${server}: ${detail} (${remedy}).`,
    extra: { findings: [{ code: 'pair-stands', detail, remedy }] },
  });
}

export function pairBroken(module: string, reason: string | null): Problem {
  return problem(stores, 'pair-broken', {
    detail:
      `The way back of ${module} is gone: ${reason ?? 'the pair is broken'}. Only a new copy mends it: npx banyan store finish ` +
      `${module}, then move it again.`,
  });
}

export function notPaired(module: string): Problem {
  return problem(stores, 'not-paired', {
    detail: `No server follows the store of ${module}. See where it is: npx banyan store`,
  });
}

/** Nothing is under way, and no server follows. */
export function noMove(module: string): Problem {
  return problem(stores, 'not-paired', {
    detail: `No move runs: nothing is done to the store of ${module}, and there is nothing to end. See where it is: npx banyan store show ${module}`,
  });
}

/** Nothing is under way; a pair stands. */
export function nothingToEnd(module: string, server: string, pairedWith: string): Problem {
  return problem(stores, 'too-late', {
    detail:
      `${module} has moved: it is on ${server}, and ${pairedWith} follows. To go there: npx banyan store back ${module}. ` +
      `To end the pair: npx banyan store finish ${module}`,
  });
}

export function tooLate(module: string, newest: MoveRow | undefined): Problem {
  return problem(stores, 'too-late', {
    detail:
      newest && (isCommitted(newest.walk) || newest.walk.state === 'moved')
        ? `${module} has moved to ${newest.target}. Take it back: npx banyan store back ${module}`
        : `What is done to the store of ${module} cannot be ended; it ends by itself. See: npx banyan store show ${module}`,
  });
}

const taskInWords = ({ walk: { task }, source, target }: MoveRow) =>
  task === 'move' || task === 'rehearse' || task === 'check' ? `${task} from ${source} to ${target}` : task;
