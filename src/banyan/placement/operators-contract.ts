// What may be asked about operators: the routes under /admin/operators, for who has the scope of that name.
import type { Static } from 'typebox';
import { type Scope, scopes, scopeWords } from '../context/scopes.ts';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { changedBy, changedByHeader } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

const name = () =>
  Type.String({
    minLength: 1,
    maxLength: 64,
    pattern: '^[A-Za-z][A-Za-z0-9._@-]*$',
    description: 'Of a person or a script; letters, digits and . _ @ -',
    examples: ['ada'],
  });

const words = scopes.map((scope) => `${scope}: ${scopeWords[scope]}`).join('. ');
const granted = Type.Array(
  Type.Unsafe<Scope>({ type: 'string', enum: [...scopes], description: words, examples: ['place'] }),
  { minItems: 1, maxItems: scopes.length, examples: [['place']] },
);

/** Live hosts that had not heard of it after 2 s. */
const lagging = Type.Optional(Type.Array(Type.String()));

export const OperatorEntry = Type.Object({
  name: Type.String(),
  scopes: Type.Array(Type.Unsafe<Scope>({ type: 'string', enum: [...scopes] })),
  madeAt: time(),
  madeBy: Type.String(),
  /** Since then the token is nobody's. */
  revokedAt: nullable(time()),
  revokedBy: nullable(Type.String()),
});
export type OperatorEntry = Static<typeof OperatorEntry>;

export const OperatorAdded = Type.Object({
  name: Type.String(),
  scopes: OperatorEntry.properties.scopes,
  /** Said this once, and kept nowhere. */
  token: Type.String(),
  lagging,
});
export type OperatorAdded = Static<typeof OperatorAdded>;

export const operators = defineContract('operators', {
  summary: 'Who may administer, and what',
  errors: {
    'operator-unknown': { status: 404, title: 'No such operator' },
    'operator-exists': { status: 409, title: 'The name is in use' },
    'operator-kept': { status: 409, title: 'The operator of ADMIN_TOKEN cannot be changed here' },
  },
  operations: {
    list: operation({
      summary: 'Who has a token, and what it is good for',
      access: 'operator',
      scope: ['read', 'operators'],
      http: { method: 'GET', path: '/admin/operators' },
      input: nothing,
      output: Type.Object({ items: Type.Array(OperatorEntry) }),
      idempotent: true,
    }),
    add: operation({
      summary: 'A token for somebody; it is shown this once',
      description: `Answers when every live host takes it. Scopes: ${words}.`,
      access: 'operator',
      scope: 'operators',
      http: { method: 'POST', path: '/admin/operators', status: 201 },
      headers: changedByHeader,
      input: closed({ name: name(), scopes: granted, changedBy }),
      output: OperatorAdded,
      idempotent: false,
      errors: ['operator-exists', 'operator-kept'],
    }),
    revoke: operation({
      summary: 'Take a token back; answers when every live host refuses it, or after 2 s with those that lag',
      access: 'operator',
      scope: 'operators',
      http: { method: 'DELETE', path: '/admin/operators/:name' },
      headers: changedByHeader,
      input: closed({ name: name(), changedBy }),
      output: Type.Object({
        ...OperatorEntry.properties,
        already: Type.Optional(
          Type.Literal(true, { description: 'It was revoked before. Absent: by this request' }),
        ),
        lagging,
      }),
      idempotent: true,
      errors: ['operator-unknown', 'operator-kept'],
    }),
  },
});
