// What an operator can ask of the keys: which there are, and new ones in place of those. Never a private half.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { Type } from '../contract/type.ts';

/** What can be rotated. */
const purposes = ['session', 'seal'] as const;

export const Key = Type.Object({
  kid: Type.String(),
  purpose: Type.Union([Type.Literal('session'), Type.Literal('internal'), Type.Literal('seal')]),
  name: Type.String({ description: 'The module that signs or reads; the service that speaks by it' }),
  modules: Type.Array(Type.String()),
  issued: Type.Boolean({ description: 'Only its owner has the private half' }),
  madeAt: time(),
  signsFrom: nullable(time()),
  retiredAt: nullable(time()),
});
export type Key = Static<typeof Key>;

export const Keys = Type.Object({ items: Type.Array(Key) });
export type Keys = Static<typeof Keys>;

export const Rotated = Type.Object({
  items: Type.Array(Key, { description: 'Those of this purpose, after it' }),
  rotated: Type.Boolean({
    description: 'False: hosts lag, and the new keys are announced and sign nothing yet',
  }),
  lagging: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Live hosts that did not apply it in time. Absent when all had',
    }),
  ),
});
export type Rotated = Static<typeof Rotated>;

export const keys = defineContract('keys', {
  summary: 'The key pairs of sessions, hosts and sealed texts',
  operations: {
    list: operation({
      summary: 'Every key that is published, the present one of its kind first',
      access: 'operator',
      scope: 'keys',
      http: { method: 'GET', path: '/admin/keys' },
      input: nothing,
      output: Keys,
      idempotent: true,
    }),
    rotate: operation({
      summary: 'New keys in place of the present ones, while everything runs',
      description:
        'Announces them, waits until every live host knows them, and has them sign from then on. Old ones stay published ' +
        'as long as anything made with them may live. Where hosts lag nothing signs by them yet: ask again.',
      access: 'operator',
      scope: 'keys',
      http: { method: 'POST', path: '/admin/keys/:purpose/rotate' },
      headers: { changedBy: 'X-Changed-By' },
      input: closed({
        purpose: Type.Union(purposes.map((purpose) => Type.Literal(purpose))),
        changedBy: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 100,
            description: 'Who asks, for the log. Default: operator.',
            examples: ['ada'],
          }),
        ),
      }),
      output: Rotated,
      idempotent: false,
    }),
  },
});
