// What depots promises: how many parcels each waits for.
import { closed, defineContract, line, operation, Type } from '#banyan';

export const depots = defineContract('depots', {
  summary: 'Where parcels go',
  operations: {
    waiting: operation({
      summary: 'How many parcels are on their way to a depot',
      access: 'public',
      http: { method: 'GET', path: '/api/depots/:name' },
      input: closed({ name: line({ maxLength: 40 }) }),
      output: Type.Object({ name: Type.String(), parcels: Type.Integer() }),
      idempotent: true,
    }),
  },
});
