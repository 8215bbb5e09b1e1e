// Where a list of open sagas goes on, as one opaque text.
import { validate } from 'uuid';
import { invalid } from '../contract/validation.ts';
import type { OpenSaga, OpenState } from './open.ts';

type ListPosition = Pick<OpenSaga, 'state' | 'since' | 'id'>;

export function placeOf({ state, since, id }: ListPosition): string {
  const first = state === 'stuck' ? 'stuck' : 'others';
  return Buffer.from(`${first} ${since.toISOString()} ${id}`).toString('base64url');
}

/** Throws the 422 problem. */
export function readPlace(cursor: string): ListPosition {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [state, since, id] = text.split(' ');
  const at = new Date(since ?? '');
  if ((state === 'stuck' || state === 'others') && !Number.isNaN(at.getTime()) && validate(id))
    return { state: (state === 'stuck' ? 'stuck' : 'running') satisfies OpenState, since: at, id: id! };
  throw invalid([{ path: '/cursor', message: 'is not a nextCursor of an earlier answer' }]);
}
