// What parcels promises: that they are on their way.
import { closed, defineContract, event, id, line, operation, Type } from '#banyan';

const Parcel = Type.Object({ id: id(), depot: line({ maxLength: 40 }), archive: Type.String() });

export const parcels = defineContract('parcels', {
  summary: 'What is carried',
  errors: { 'parcel-unknown': { status: 404, title: 'No such parcel' } },
  operations: {
    send: operation({
      summary: 'Send a parcel to a depot',
      access: 'public',
      http: { method: 'POST', path: '/api/parcels', status: 201 },
      input: closed({ depot: line({ maxLength: 40 }) }),
      output: Parcel,
      idempotent: false,
    }),
    show: operation({
      summary: 'One parcel',
      access: 'public',
      http: { method: 'GET', path: '/api/parcels/:id' },
      input: closed({ id: id() }),
      output: Parcel,
      idempotent: true,
      errors: ['parcel-unknown'],
    }),
  },
  events: {
    'parcel-sent': event({
      summary: 'A parcel is on its way',
      version: 1,
      key: 'parcelId',
      data: Type.Object({ parcelId: id(), depot: Type.String() }),
    }),
  },
});
