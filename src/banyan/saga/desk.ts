// What a module's contract says of its sagas to whoever shows them and knows no module: which operation is which (`saga` of
// an operation), and the shapes that these have in common. A module puts them into operations of its own, with its own
// names and further fields.
// It must not know what a saga is about, nor who shows it.
import type { Static } from 'typebox';
import { olderThan } from '../contract/age.ts';
import { id, nullable, paging, time } from '../contract/fields.ts';
import { plain } from '../contract/plain.ts';
import { Type } from '../contract/type.ts';
import type { OpenState } from './open.ts';

const open = [
  Type.Literal('running'),
  Type.Literal('waiting'),
  Type.Literal('compensating'),
  Type.Literal('stuck'),
] as const;

/** The fields of the input of a `list`: the sagas that are not over, or the one with the id, over or not. */
export const sagaFilter = {
  state: Type.Optional(Type.Union([...open])),
  step: Type.Optional(Type.String({ minLength: 1, maxLength: 100, pattern: '^[a-z]+(-[a-z]+)*$' })),
  olderThan: Type.Optional(olderThan()),
  id: Type.Optional(id()),
  ...paging,
};

export interface SagaFilter {
  readonly state?: OpenState | undefined;
  readonly step?: string | undefined;
  readonly olderThan?: string | undefined;
  readonly id?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Nothing was asked of single sagas: the numbers are answer enough. */
export const isUnfiltered = (filter: SagaFilter): boolean =>
  Object.values(filter).every((value) => value === undefined);

/** Fields of a saga wherever it is shown. */
export const sagaTurn = {
  /** Whose turn it is. Null: the saga's own module's, or it is over. */
  by: Type.Optional(nullable(Type.String())),
  /** Why it cannot be cancelled, in a sentence. Null: it can once it is stuck, or it is over. */
  notCancelled: Type.Optional(nullable(Type.String())),
};

export const SagaListed = Type.Object({
  id: id(),
  ...sagaTurn,
  style: plain(Type.Union([Type.Literal('choreography'), Type.Literal('orchestration')])),
  state: plain(Type.Union([...open, Type.Literal('finished')])),
  step: plain(Type.String()),
  attempts: plain(Type.Integer()),
  /** Since when it stands there, and until when it has time; null when it is over. */
  since: time(),
  deadline: nullable(time()),
  why: nullable(Type.String()),
  /** The command that helps one that is stuck. */
  next: nullable(Type.String()),
});
export type SagaListed = Static<typeof SagaListed>;

/** The fields that the answer of a `list` has besides its numbers, where a filter was given. */
export const sagaList = {
  items: Type.Optional(Type.Array(SagaListed)),
  nextCursor: Type.Optional(nullable(Type.String())),
};

/** The fields that the answer of a `show` has: the trace in which it began, or the event that tells of its beginning. */
export const sagaBeginning = {
  trace: Type.Optional(nullable(Type.String())),
  begunBy: Type.Optional(nullable(id())),
};
