// What an operator can ask of the keys: which there are, and new ones in place of those. Never a private half.
import type { Static } from 'typebox';
import { type Contract, closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { changedByHeader, ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

/** What can be rotated. */
const purposes = ['session', 'seal', 'internal'] as const;

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

const lagging = Type.Optional(
  Type.Array(Type.String(), {
    description: 'Live hosts that did not apply it in time. Absent when all had',
  }),
);

export const Rotated = Type.Object({
  items: Type.Array(Key, { description: 'Those of this purpose, after it' }),
  rotated: Type.Boolean({
    description: 'False: hosts lag, and the new keys are announced and sign nothing yet',
  }),
  lagging,
  outgoing: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Internal keys: processes that still speak by an old key, which stays known as long. Absent when there are none',
    }),
  ),
});
export type Rotated = Static<typeof Rotated>;

export const Issued = Type.Object({
  kid: Type.String(),
  name: Type.String(),
  modules: Type.Array(Type.String()),
  key: Type.Record(Type.String(), Type.String(), {
    description: 'The private key as JWK, for SERVICE_KEY. Shown this once',
  }),
});
export type Issued = Static<typeof Issued>;

const remark = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 100,
    description: 'A remark for the log, beside the name of who asks.',
    examples: ['ada'],
  }),
);

const ofSomeName = (contracts: readonly Contract[]) => {
  const { module: name } = ofSomeModule(contracts);
  return { name, modules: [name] };
};

export const keys = defineContract('keys', {
  summary: 'The key pairs of sessions, hosts and sealed texts',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'key-unknown': { status: 404, title: 'No such internal key' },
    'key-present': { status: 409, title: 'The key is in use' },
  },
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
    issue: operation({
      summary: 'A key pair for a service that somebody else starts; its private half is kept nowhere',
      access: 'operator',
      scope: 'keys',
      http: { method: 'POST', path: '/admin/keys', status: 201 },
      headers: changedByHeader,
      input: closed({
        name: Type.String({
          pattern: '^[a-z][a-z0-9-]{0,62}$',
          description: 'The service: its hosts are <name>-1, <name>-2, …; a module that it runs',
          examples: ['billing'],
        }),
        modules: Type.Optional(
          Type.Array(Type.String({ maxLength: 100 }), {
            minItems: 1,
            maxItems: 100,
            description: 'What it may run. Default: the module of its name',
            examples: [['billing']],
          }),
        ),
        changedBy: remark,
      }),
      example: ofSomeName,
      output: Issued,
      idempotent: false,
      errors: ['module-unknown'],
    }),
    revoke: operation({
      summary:
        'End an internal key, and whoever speaks by it; answers when every live host refuses it, or after 2 s with those that lag',
      access: 'operator',
      scope: 'keys',
      http: { method: 'DELETE', path: '/admin/keys/:kid' },
      headers: changedByHeader,
      input: closed({ kid: Type.String({ maxLength: 200 }), changedBy: remark }),
      output: Type.Object({ kid: Type.String(), lagging }),
      idempotent: true,
      errors: ['key-unknown', 'key-present'],
    }),
    rotate: operation({
      summary: 'New keys in place of the present ones, while everything runs',
      description:
        'Announces them, waits until every live host knows them, and has them sign from then on. Old ones stay published ' +
        'as long as anything made with them may live. Where hosts lag nothing signs by them yet: ask again.',
      access: 'operator',
      scope: 'keys',
      http: { method: 'POST', path: '/admin/keys/:purpose/rotate' },
      headers: changedByHeader,
      input: closed({
        purpose: Type.Union(purposes.map((purpose) => Type.Literal(purpose))),
        changedBy: remark,
      }),
      output: Rotated,
      idempotent: false,
    }),
  },
});
