// Which changes of a contract an instance may come with, and how the others are named.

import { describe, expect, test } from 'vitest';
import { closed, defineContract, event, type OperationSpec, operation } from '../contract/contract.ts';
import { plain } from '../contract/plain.ts';
import { Type } from '../contract/type.ts';
import { canonicalContract, contractHash } from './canonical.ts';
import { compareContracts } from './compatibility.ts';

const line = closed({ productId: Type.String({ format: 'uuid' }), quantity: Type.Integer({ minimum: 1 }) });
const status = Type.Union([Type.Literal('placed'), Type.Literal('done')]);

const place = operation({
  summary: 'Place an order',
  access: 'session',
  http: { method: 'POST', path: '/api/orders', status: 202 },
  input: closed({ lines: Type.Array(line), note: Type.Optional(Type.String({ maxLength: 100 })) }),
  output: Type.Object({ id: Type.String(), status }),
  idempotent: true,
});
const placed = event({
  summary: 'Placed',
  version: 1,
  key: 'orderId',
  data: Type.Object({ orderId: Type.String(), total: Type.Integer() }),
});

const contract = (operations: Record<string, OperationSpec>, events = { 'order-placed': placed }) =>
  canonicalContract(defineContract('orders', { summary: 'Orders', operations, events }));
const ours = contract({ place });
const against = (theirs: Partial<OperationSpec>) =>
  compareContracts(ours, contract({ place: { ...place, ...theirs } as OperationSpec }));

test('the same promise has one canonical form, whatever is written for people', () => {
  const reworded = contract({ place: { ...place, summary: 'Another sentence', description: 'More words' } });
  expect(reworded).toEqual(ours);
  expect(contractHash(reworded)).toBe(contractHash(ours));
  expect(JSON.parse(JSON.stringify(ours))).toEqual(ours);
  expect(compareContracts(ours, reworded)).toEqual({ breaking: [], compatible: [] });
});

test('what a sample may show as it is is no part of the promise, so that hosts without such marks fit', () => {
  const marked = Type.Object({ id: Type.String(), status: plain(status) });
  expect(JSON.stringify(marked)).toBe(JSON.stringify(place.output));
  for (const output of [marked, Type.Object({ id: Type.String({ plain: true }), status: plain(status) })])
    expect(contractHash(contract({ place: { ...place, output } }))).toBe(contractHash(ours));
});

describe('compatible', () => {
  const { properties } = place.input;
  const cases: [string, Partial<OperationSpec>, string, string][] = [
    [
      'a new optional field that callers may send',
      { input: closed({ ...properties, gift: Type.Optional(Type.Boolean()) }) },
      '/operations/place/input/gift',
      'the field is new',
    ],
    [
      'a new field in the answer',
      { output: Type.Object({ ...place.output.properties, eta: Type.String() }) },
      '/operations/place/output/eta',
      'the field is new',
    ],
    [
      'a limit on input that was raised',
      { input: closed({ ...properties, note: Type.Optional(Type.String({ maxLength: 500 })) }) },
      '/operations/place/input/note',
      'the schema is another one',
    ],
    [
      'a required field that may now be left out',
      { input: closed({ ...properties, lines: Type.Optional(properties.lines) }) },
      '/operations/place/input/lines',
      'may be left out now',
    ],
    [
      'an answer that says one thing less',
      { output: Type.Object({ id: Type.String(), status: Type.Literal('placed') }) },
      '/operations/place/output/status',
      'the schema is another one',
    ],
  ];
  test.each(cases)('%s', (_name, change, path, message) => {
    expect(against(change)).toEqual({ breaking: [], compatible: [{ path, message }] });
  });

  test('what all values of a record have is compared as what a field has', () => {
    const byName = (value: ReturnType<typeof Type.Object>) =>
      contract({ place: { ...place, output: Type.Object({ sums: Type.Record(Type.String(), value) }) } });
    const fewer = byName(Type.Object({ sum: Type.Integer() }));
    const more = byName(Type.Object({ sum: Type.Integer(), of: Type.String() }));
    expect(compareContracts(fewer, more).breaking).toEqual([]);
    expect(compareContracts(more, fewer).breaking).toEqual([
      { path: '/operations/place/output/sums/*/of', message: 'is required, and is never given' },
    ]);
  });

  test('a new operation, event or error', () => {
    const theirs = contract({ place, cancel: place }, {
      'order-placed': placed,
      'order-lost': placed,
    } as never);
    expect(compareContracts(ours, theirs)).toEqual({
      breaking: [],
      compatible: [
        { path: '/operations/cancel', message: 'the operation is new' },
        { path: '/events/order-lost', message: 'the event is new' },
      ],
    });
  });
});

test('what was added since is forgiven to the version before, where our contract names it, and nothing else', () => {
  const gift = closed({ ...place.input.properties, gift: Type.Optional(Type.Boolean()) });
  const newer = canonicalContract(
    defineContract('orders', {
      summary: 'Orders',
      operations: { place: { ...place, input: gift }, cancel: place },
      events: { 'order-placed': placed, 'order-lost': placed },
      mayLack: ['/operations/place/input/gift', '/events/order-lost'],
    }),
  );
  const { breaking, compatible } = compareContracts(newer, ours);
  expect(breaking.map(({ path }) => path)).toEqual(['/operations/cancel']);
  expect(compatible.map(({ path }) => path)).toEqual(['/operations/place/input/gift', '/events/order-lost']);
});

describe('breaking', () => {
  const { properties } = place.input;
  const cases: [string, Partial<OperationSpec>, string][] = [
    [
      'a new required field',
      { input: closed({ ...properties, gift: Type.Boolean() }) },
      '/operations/place/input/gift',
    ],
    [
      'a field that callers send and is no longer known',
      { input: closed({ lines: properties.lines }) },
      '/operations/place/input/note',
    ],
    [
      'a tighter limit deep inside',
      {
        input: closed({
          ...properties,
          lines: Type.Array(closed({ ...line.properties, quantity: Type.Integer({ minimum: 2 }) })),
        }),
      },
      '/operations/place/input/lines/items/quantity',
    ],
    [
      'another type',
      { input: closed({ ...properties, note: Type.Optional(Type.Integer()) }) },
      '/operations/place/input/note',
    ],
    [
      'an answer without a field that was always there',
      { output: Type.Object({ status }) },
      '/operations/place/output/id',
    ],
    [
      'an answer that may leave a field out',
      { output: Type.Object({ id: Type.Optional(Type.String()), status }) },
      '/operations/place/output/id',
    ],
    [
      'an answer with a word that callers do not know',
      {
        output: Type.Object({
          id: Type.String(),
          status: Type.Union([...status.anyOf, Type.Literal('lost')]),
        }),
      },
      '/operations/place/output/status',
    ],
    [
      'an answer that may be null',
      { output: Type.Union([place.output, Type.Null()]) },
      '/operations/place/output',
    ],
    [
      'another route',
      { http: { method: 'POST', path: '/api/order', status: 202 } },
      '/operations/place/http',
    ],
    ['other callers', { access: 'admin', scope: 'store' }, '/operations/place/access'],
    ['retries that are no longer safe', { idempotent: false }, '/operations/place/idempotent'],
  ];
  test.each(cases)('%s', (_name, change, path) => {
    expect(against(change).breaking.map((one) => one.path)).toEqual([path]);
  });

  test('an operation or event that is gone, an event with another key', () => {
    const gone = contract({}, {} as never);
    expect(compareContracts(ours, gone).breaking).toEqual([
      { path: '/operations/place', message: 'the operation is missing' },
      { path: '/events/order-placed', message: 'the event is missing' },
    ]);
    const rekeyed = contract({ place }, { 'order-placed': { ...placed, key: 'total' } } as never);
    expect(compareContracts(ours, rekeyed).breaking).toEqual([
      { path: '/events/order-placed/key', message: 'is "total" instead of "orderId"' },
    ]);
  });
});
