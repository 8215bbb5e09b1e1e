// What an operator can ask of the doctor: one look at everything that a running system stands on. The command line is a client
// of exactly this.
import type { Static } from 'typebox';
import { defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time } from '../contract/fields.ts';
import { Type } from '../contract/type.ts';
import { type Level, levels } from './finding.ts';

const Item = Type.Object({
  check: Type.String({ description: 'What was looked at', examples: ['clock'] }),
  subject: Type.String({ description: 'Whose: a host, a database server, a module, a topic' }),
  level: Type.Unsafe<Level>({
    type: 'string',
    enum: [...levels],
    description: '`unknown`: it could not be looked at; `found` says why',
  }),
  found: Type.String(),
  remedy: nullable(
    Type.String({ description: 'A command, or a heading of the documentation; null where it is ok' }),
  ),
});

export const Examined = Type.Object({
  items: Type.Array(Item, { description: 'The worst first' }),
  at: time(),
  host: Type.String({ description: 'The id of the host that looked' }),
});
export type Examined = Static<typeof Examined>;

export const doctor = defineContract('doctor', {
  summary: 'What is wrong with a running system, and what helps',
  operations: {
    examine: operation({
      summary: 'Look at clocks, keys, databases, topics, replication, versions and probes, now',
      description:
        'Whichever monolith is asked looks itself, and changes nothing. Each check has 3 seconds, and all are made at once; ' +
        'who asks meanwhile gets the same answer.',
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/doctor' },
      input: nothing,
      output: Examined,
      idempotent: true,
    }),
  },
});
