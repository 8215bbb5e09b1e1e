// What an operator can read of what service processes wrote: the route under /admin/logs.
import type { Static } from 'typebox';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

export const Logs = Type.Object({
  items: Type.Array(
    Type.Object({
      /** `<module>-<n>`. */
      process: Type.String(),
      /** Whole ones, oldest first. */
      lines: Type.Array(Type.String()),
    }),
  ),
});
export type Logs = Static<typeof Logs>;

export const logs = defineContract('logs', {
  summary: "What modules' processes wrote",
  errors: {
    'no-logs': { status: 404, title: 'There is no log' },
  },
  operations: {
    show: operation({
      summary: "The last lines that a module's processes wrote",
      description:
        'Of the processes that were started on the machine of the monolith that answers. While a module is in-process, its ' +
        "log is the monolith's own output.",
      access: 'operator',
      scope: 'read',
      http: { method: 'GET', path: '/admin/logs/:module' },
      input: closed({
        module: Type.String({ maxLength: 100, pattern: '^[a-z][a-z0-9-]*$', examples: ['parcels'] }),
        lines: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: 2_000,
            description: 'Of each process. Default 200',
            examples: [200],
          }),
        ),
      }),
      example: ofSomeModule,
      output: Logs,
      idempotent: true,
      errors: ['no-logs'],
    }),
  },
});
