// Which events there are, who publishes each and who listens: what the contracts promise and the modules registered.
import type { Static } from 'typebox';
import { defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable } from '../contract/fields.ts';
import { Type } from '../contract/type.ts';

const Known = Type.Object({
  type: Type.String({ description: '<module>.<event>.v<major>' }),
  module: Type.String({ description: 'Who publishes it' }),
  name: Type.String(),
  version: Type.Integer(),
  topic: Type.String(),
  key: Type.String({ description: 'The field of its data by which it is ordered' }),
  summary: Type.String(),
  schema: Type.Record(Type.String(), Type.Unknown()),
  /** Null: this host runs no module, and does not know. */
  listeners: nullable(Type.Array(Type.String())),
});
export type Known = Static<typeof Known>;

export const catalogue = defineContract('catalogue', {
  summary: 'The events that there are',
  operations: {
    list: operation({
      summary: 'Every event that a module publishes, and who listens to it',
      access: 'operator',
      scope: ['read', 'events'],
      http: { method: 'GET', path: '/admin/events/catalogue' },
      input: nothing,
      output: Type.Object({ items: Type.Array(Known) }),
      idempotent: true,
    }),
  },
});
