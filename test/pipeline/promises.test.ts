// What counts as added, changed and broken: every rule in both directions, since what is harmless one way breaks the other.
import { describe, expect, test } from 'vitest';
import { asyncapiChanges } from '../../pipeline/contracts/asyncapi.ts';
import type { Change } from '../../pipeline/contracts/change.ts';
import { diffPromises } from '../../pipeline/contracts/diff.ts';
import { openapiChanges } from '../../pipeline/contracts/openapi.ts';
import { drawPromises } from '../../pipeline/contracts/picture.ts';
import { contractChanges } from '../../pipeline/contracts/rules.ts';
import {
  type Contract,
  type ContractSpec,
  closed,
  defineContract,
  event,
  type OperationSpec,
  operation,
} from '../../src/banyan/contract/contract.ts';
import { openapi } from '../../src/banyan/contract/openapi.ts';
import { Type } from '../../src/banyan/contract/type.ts';
import { asyncapi } from '../../src/banyan/events/asyncapi.ts';
import { canonicalContract, type JsonObject } from '../../src/banyan/placement/canonical.ts';

const text = (options = {}) => Type.String(options);
const words = (...some: string[]) => Type.Union(some.map((one) => Type.Literal(one)));

const input = {
  key: Type.Optional(text()),
  by: Type.Optional(text()),
  note: Type.Optional(text({ maxLength: 100 })),
  lines: Type.Array(closed({ quantity: Type.Integer({ minimum: 1 }) })),
  way: words('air', 'sea'),
};
const output = { id: text(), status: words('sent', 'lost'), eta: Type.Optional(text()) };
const send = operation({
  summary: 'Send a parcel',
  access: 'session',
  http: { method: 'POST', path: '/api/parcels', status: 202 },
  headers: { key: 'Idempotency-Key' },
  input: closed(input),
  output: Type.Object(output),
  idempotent: true,
  errors: ['too-heavy'],
});
const data = { parcelId: text(), way: words('air', 'sea'), note: Type.Optional(text()) };
const sent = event({ summary: 'Sent', version: 1, key: 'parcelId', data: Type.Object(data) });
const errors = {
  'too-heavy': { status: 422, title: 'Too heavy' },
  'no-such': { status: 404, title: 'No such parcel' },
};

const parcels = (spec: Partial<ContractSpec> = {}): Contract =>
  defineContract('parcels', {
    summary: 'What is carried',
    errors,
    operations: { send },
    events: { 'parcel-sent': sent },
    ...spec,
  });
const withSend = (more: Partial<OperationSpec>) =>
  parcels({ operations: { send: { ...send, ...more } as OperationSpec } });
const withInput = (more: object) => withSend({ input: closed({ ...input, ...more } as typeof input) });
const withOutput = (more: object) =>
  withSend({ output: Type.Object({ ...output, ...more } as typeof output) });
const withData = (more: object) =>
  parcels({ events: { 'parcel-sent': { ...sent, data: Type.Object({ ...data, ...more } as typeof data) } } });
const without = <T extends object>(fields: T, name: keyof T) =>
  Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));

const told = (changes: readonly Change[]) => changes.map(({ kind, path }) => `${kind} ${path}`);
const between = (before: Contract, now: Contract) =>
  told(contractChanges(canonicalContract(before), canonicalContract(now)));

const base = parcels();
const upload = (maxBytes: number) => withSend({ upload: { field: 'file', maxBytes } });

/** `there` and `back`: what the change is, and what it is to take it back. */
const cases: readonly (readonly [
  what: string,
  before: Contract,
  now: Contract,
  there: string[],
  back: string[],
])[] = [
  [
    'an operation more',
    base,
    parcels({ operations: { send, stop: send } }),
    ['added /operations/stop'],
    ['broken /operations/stop'],
  ],
  [
    'an optional field that callers may send',
    base,
    withInput({ gift: Type.Optional(Type.Boolean()) }),
    ['added /operations/send/input/gift'],
    ['broken /operations/send/input/gift'],
  ],
  [
    'a field that callers must send',
    base,
    withInput({ gift: Type.Boolean() }),
    ['broken /operations/send/input/gift'],
    ['broken /operations/send/input/gift'],
  ],
  [
    'a field that may be left out now',
    base,
    withInput({ way: Type.Optional(words('air', 'sea')) }),
    ['changed /operations/send/input/way'],
    ['broken /operations/send/input/way'],
  ],
  [
    'a longer text',
    base,
    withInput({ note: Type.Optional(text({ maxLength: 500 })) }),
    ['changed /operations/send/input/note'],
    ['broken /operations/send/input/note'],
  ],
  [
    'a lower limit deep inside',
    base,
    withInput({ lines: Type.Array(closed({ quantity: Type.Integer({ minimum: 0 }) })) }),
    ['changed /operations/send/input/lines/items/quantity'],
    ['broken /operations/send/input/lines/items/quantity'],
  ],
  [
    'a word more that callers may send',
    base,
    withInput({ way: words('air', 'sea', 'rail') }),
    ['changed /operations/send/input/way'],
    ['broken /operations/send/input/way'],
  ],
  [
    'another type to send',
    base,
    withInput({ note: Type.Optional(Type.Integer()) }),
    ['broken /operations/send/input/note'],
    ['broken /operations/send/input/note'],
  ],
  [
    'a field more in the answer',
    base,
    withOutput({ weight: Type.Integer() }),
    ['added /operations/send/output/weight'],
    ['broken /operations/send/output/weight'],
  ],
  [
    'an optional field less in the answer',
    base,
    withSend({ output: Type.Object(without(output, 'eta')) }),
    ['broken /operations/send/output/eta'],
    ['added /operations/send/output/eta'],
  ],
  [
    'a field of the answer that may be missing',
    base,
    withOutput({ id: Type.Optional(text()) }),
    ['broken /operations/send/output/id'],
    ['changed /operations/send/output/id'],
  ],
  [
    'a word more in the answer',
    base,
    withOutput({ status: words('sent', 'lost', 'held') }),
    ['broken /operations/send/output/status'],
    ['changed /operations/send/output/status'],
  ],
  [
    'an answer that may be null',
    base,
    withOutput({ id: Type.Union([text(), Type.Null()]) }),
    ['broken /operations/send/output/id'],
    ['changed /operations/send/output/id'],
  ],
  [
    'a break, and beside it what is new',
    base,
    withOutput({ id: Type.Integer(), weight: Type.Integer() }),
    ['broken /operations/send/output/id', 'added /operations/send/output/weight'],
    ['broken /operations/send/output/weight', 'broken /operations/send/output/id'],
  ],
  [
    'a status more',
    base,
    withSend({ http: { method: 'POST', path: '/api/parcels', statuses: [202, 200], statusOf: () => 200 } }),
    ['added /operations/send/http/statuses/200'],
    ['broken /operations/send/http/statuses/200'],
  ],
  [
    'another route',
    base,
    withSend({ http: { method: 'PUT', path: '/api/parcel', status: 202 } }),
    ['broken /operations/send/http/method', 'broken /operations/send/http/path'],
    ['broken /operations/send/http/method', 'broken /operations/send/http/path'],
  ],
  [
    'a route where there was none',
    withSend({ http: undefined }),
    base,
    ['added /operations/send/http'],
    ['broken /operations/send/http'],
  ],
  [
    'everybody may call it',
    base,
    withSend({ access: 'public' }),
    ['changed /operations/send/access'],
    ['broken /operations/send/access'],
  ],
  [
    'admins with a session beside operators',
    withSend({ access: 'operator', scope: 'read' }),
    withSend({ access: 'admin', scope: 'read' }),
    ['changed /operations/send/access'],
    ['broken /operations/send/access'],
  ],
  [
    'a field of before that comes from a header',
    base,
    withSend({ headers: { key: 'Idempotency-Key', by: 'X-By' } }),
    ['broken /operations/send/headers/by'],
    ['broken /operations/send/headers/by'],
  ],
  [
    'a new field that comes from a header',
    base,
    withSend({
      headers: { key: 'Idempotency-Key', from: 'X-From' },
      input: closed({ ...input, from: Type.Optional(text()) }),
    }),
    ['added /operations/send/headers/from', 'added /operations/send/input/from'],
    ['broken /operations/send/headers/from', 'broken /operations/send/input/from'],
  ],
  [
    'another header',
    base,
    withSend({ headers: { key: 'X-Key' } }),
    ['broken /operations/send/headers/key'],
    ['broken /operations/send/headers/key'],
  ],
  [
    'a larger file',
    upload(1_000),
    upload(2_000),
    ['changed /operations/send/upload/maxBytes'],
    ['broken /operations/send/upload/maxBytes'],
  ],
  ['a file', base, upload(1_000), ['broken /operations/send/upload'], ['broken /operations/send/upload']],
  [
    'bytes instead of JSON',
    base,
    withSend({ download: true }),
    ['broken /operations/send/download'],
    ['broken /operations/send/download'],
  ],
  [
    'no repeating any more',
    base,
    withSend({ idempotent: false }),
    ['broken /operations/send/idempotent'],
    ['changed /operations/send/idempotent'],
  ],
  [
    'an error more',
    base,
    withSend({ errors: ['too-heavy', 'no-such'] }),
    ['added /operations/send/errors/no-such'],
    ['changed /operations/send/errors/no-such'],
  ],
  [
    'an error that is new to the contract',
    parcels({ errors: { 'too-heavy': errors['too-heavy'] } }),
    base,
    ['added /errors/no-such'],
    ['changed /errors/no-such'],
  ],
  [
    'an error with another status',
    base,
    parcels({ errors: { ...errors, 'no-such': { status: 410, title: 'Gone' } } }),
    ['broken /errors/no-such'],
    ['broken /errors/no-such'],
  ],
  [
    'an event more',
    base,
    parcels({ events: { 'parcel-sent': sent, 'parcel-lost': sent } }),
    ['added /events/parcel-lost'],
    ['broken /events/parcel-lost'],
  ],
  [
    'an optional field more in an event',
    base,
    withData({ weight: Type.Optional(Type.Integer()) }),
    ['added /events/parcel-sent/data/weight'],
    ['broken /events/parcel-sent/data/weight'],
  ],
  [
    'a field that every event has now: those in the log lack it',
    base,
    withData({ weight: Type.Integer() }),
    ['broken /events/parcel-sent/data/weight'],
    ['broken /events/parcel-sent/data/weight'],
  ],
  [
    'another type in an event',
    base,
    withData({ parcelId: Type.Integer() }),
    ['broken /events/parcel-sent/data/parcelId'],
    ['broken /events/parcel-sent/data/parcelId'],
  ],
  [
    'a word more in an event, and a word less, which the log still has',
    base,
    withData({ way: words('air', 'sea', 'rail') }),
    ['broken /events/parcel-sent/data/way'],
    ['broken /events/parcel-sent/data/way'],
  ],
  [
    'another version of an event',
    base,
    parcels({ events: { 'parcel-sent': { ...sent, version: 2 } } }),
    ['broken /events/parcel-sent/version'],
    ['broken /events/parcel-sent/version'],
  ],
  [
    'another key of an event',
    base,
    parcels({ events: { 'parcel-sent': { ...sent, key: 'note' } as unknown as typeof sent } }),
    ['broken /events/parcel-sent/key'],
    ['broken /events/parcel-sent/key'],
  ],
];

describe('a contract', () => {
  test.each(cases)('%s', (_what, before, now, there, back) => {
    expect(between(before, now)).toEqual(there);
    expect(between(now, before)).toEqual(back);
  });

  test('words for people are no part of it, and what one side lacks whole is told by its parts', () => {
    expect(between(base, withSend({ summary: 'Other words', description: 'And more' }))).toEqual([]);
    const whole = canonicalContract(base);
    const parts = ['/operations/send', '/events/parcel-sent'];
    expect(told(contractChanges(whole, undefined))).toEqual([
      ...parts.map((path) => `broken ${path}`),
      ...['no-such', 'too-heavy'].map((name) => `changed /errors/${name}`),
    ]);
    expect(told(contractChanges(undefined, whole)).filter((one) => !one.startsWith('added'))).toEqual([]);
  });

  test('a message says who is let down, and by what', () => {
    const first = (now: Contract, before = base) =>
      contractChanges(canonicalContract(before), canonicalContract(now))[0]!.message;
    const narrow = withInput({ note: Type.Optional(text({ maxLength: 10 })) });
    const more = withOutput({ status: words('sent', 'lost', 'held') });
    expect([
      first(withInput({ gift: text() })),
      first(narrow),
      first(withInput({ note: Type.Optional(Type.Integer()) })),
      first(withInput({ way: words('air') })),
      first(more),
      first(withOutput({ id: Type.Integer() })),
      first(withData({ weight: text() })),
      first(withData({ way: words('air') })),
    ]).toEqual([
      'is required now, and callers of before never send it',
      'is held to 10 now, where for callers of before maxLength is 100',
      'is integer now, and callers of before send string',
      '"sea" is taken no more, only "air"',
      '"held" is new, and whoever knew it reads "sent", "lost" alone',
      'is integer now, and whoever knew it reads string',
      'is required now, and events in the log lack it: make it optional',
      '"sea" stands in events in the log, and is known no more beside "air"',
    ]);
  });
});

const about = { title: 'Parcels', version: '1.0.0' };
const documented = (contract: Contract) =>
  JSON.parse(JSON.stringify(openapi([contract], about))) as JsonObject;
const announced = (contract: Contract) =>
  JSON.parse(JSON.stringify(asyncapi([contract], about))) as JsonObject;
/** A copy in which one thing is another. */
const altered = (document: JsonObject, change: (copy: never) => void): JsonObject => {
  const copy = structuredClone(document) as never;
  change(copy);
  return copy;
};

interface Operation {
  security: object[];
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  requestBody?: object;
  responses: Record<string, { headers: Record<string, object>; content: object }>;
}
type Documented = {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[] }> };
};

describe('/openapi.json', () => {
  const before = documented(base);
  const at = '/paths/~1api~1parcels/post';
  const operationOf = (copy: Documented) => copy.paths['/api/parcels']!.post!;
  const alterations: readonly (readonly [string, (copy: Documented) => void, string[], string[]])[] = [
    [
      'a route less',
      (copy) => {
        delete copy.paths['/api/parcels'];
      },
      [`broken ${at}`],
      [`added ${at}`],
    ],
    [
      'a route of the host less',
      (copy) => {
        delete copy.paths['/health/live'];
      },
      ['broken /paths/~1health~1live/get'],
      ['added /paths/~1health~1live/get'],
    ],
    [
      'a status less',
      (copy) => {
        delete operationOf(copy).responses['202'];
      },
      [`broken ${at}/responses/202`],
      [`added ${at}/responses/202`],
    ],
    [
      'a failure less',
      (copy) => {
        delete operationOf(copy).responses['422'];
      },
      [`changed ${at}/responses/422`],
      [`added ${at}/responses/422`],
    ],
    [
      'a header less',
      (copy) => {
        delete operationOf(copy).responses['202']!.headers['x-served-by'];
      },
      [`broken ${at}/responses/202/headers/x-served-by`],
      [`added ${at}/responses/202/headers/x-served-by`],
    ],
    [
      'a parameter that is required',
      (copy) => {
        operationOf(copy).parameters[0]!.required = true;
      },
      [`broken ${at}/parameters/header.Idempotency-Key`],
      [],
    ],
    [
      'another way in',
      (copy) => {
        operationOf(copy).security = [{ session: [] }, { operator: ['read'] }];
      },
      [`added ${at}/security`],
      [`broken ${at}/security`],
    ],
    [
      'everybody let in',
      (copy) => {
        operationOf(copy).security = [];
      },
      [`changed ${at}/security`],
      [`broken ${at}/security`],
    ],
    [
      'no body any more',
      (copy) => {
        delete operationOf(copy).requestBody;
      },
      [`broken ${at}/requestBody`],
      [`broken ${at}/requestBody`],
    ],
    [
      'problems that lack what each had',
      (copy) => {
        copy.components.schemas.Problem!.required = copy.components.schemas.Problem!.required!.slice(1);
      },
      ['broken /components/schemas/Problem/type'],
      ['changed /components/schemas/Problem/type'],
    ],
  ];

  test.each(alterations)('%s', (_what, change, there, back) => {
    const now = altered(before, change as (copy: never) => void);
    expect(told(openapiChanges(before, now))).toEqual(there);
    expect(told(openapiChanges(now, before))).toEqual(back);
  });

  test('the schemas of what is sent and answered are held to the same rules', () => {
    const sending = withInput({ gift: Type.Boolean() });
    expect(told(openapiChanges(before, documented(sending)))).toEqual([
      `broken ${at}/requestBody/content/application~1json/schema/gift`,
    ]);
    const answering = withOutput({ status: words('sent') });
    const path = `${at}/responses/202/content/application~1json/schema/status`;
    expect(told(openapiChanges(before, documented(answering)))).toEqual([`changed ${path}`]);
    expect(told(openapiChanges(documented(answering), before))).toEqual([`broken ${path}`]);
  });
});

describe('/asyncapi.json', () => {
  const before = announced(base);
  type Announced = {
    channels: Record<string, { address: string }>;
    components: {
      messages: Record<string, { name: string }>;
      messageTraits: { cloudEvent: { headers: { required: string[] } } };
    };
  };
  const alterations: readonly (readonly [string, (copy: Announced) => void, string[], string[]])[] = [
    [
      'another topic',
      (copy) => {
        copy.channels.parcelsEvents!.address = 'parcels';
      },
      ['broken /channels/parcelsEvents/address'],
      ['broken /channels/parcelsEvents/address'],
    ],
    [
      'an event less',
      (copy) => {
        delete copy.components.messages['parcels.parcel-sent'];
      },
      ['broken /components/messages/parcels.parcel-sent'],
      ['added /components/messages/parcels.parcel-sent'],
    ],
    [
      'another type on the wire',
      (copy) => {
        copy.components.messages['parcels.parcel-sent']!.name = 'parcels.parcel-sent.v2';
      },
      ['broken /components/messages/parcels.parcel-sent/name'],
      ['broken /components/messages/parcels.parcel-sent/name'],
    ],
    [
      'a header that may be missing',
      ({ components }) => {
        const { headers } = components.messageTraits.cloudEvent;
        headers.required = headers.required.filter((name) => name !== 'ce_sequence');
      },
      ['broken /components/messageTraits/cloudEvent/headers/ce_sequence'],
      ['changed /components/messageTraits/cloudEvent/headers/ce_sequence'],
    ],
  ];
  test.each(alterations)('%s', (_what, change, there, back) => {
    const now = altered(before, change as (copy: never) => void);
    expect(told(asyncapiChanges(before, now))).toEqual(there);
    expect(told(asyncapiChanges(now, before))).toEqual(back);
  });

  test('the data of an event is held to the same rules', () => {
    expect(told(asyncapiChanges(before, announced(withData({ weight: Type.Integer() }))))).toEqual([
      'broken /components/messages/parcels.parcel-sent/payload/weight',
    ]);
  });
});

const promised = (contract: Contract) => ({
  modules: [contract],
  host: [],
  openapi: documented(contract),
  asyncapi: announced(contract),
});

test('what a contract says already is not told again by the documents', () => {
  const diff = diffPromises(promised(base), promised(withInput({ gift: Type.Boolean() })));
  expect(diff).toMatchObject({ broken: 1, changed: 0, added: 0 });
  expect(diff.modules.map(({ module }) => module)).toEqual(['parcels']);
  expect(diff.openapi).toMatchObject({ broken: [], said: 1 });
  expect(diffPromises(promised(base), promised(base))).toMatchObject({ broken: 0, modules: [], host: [] });
});

test('in words, in 80 columns, the broken first', () => {
  const deep = (leaf: ReturnType<typeof text>) =>
    Type.Object({ ['one'.repeat(15)]: Type.Object({ ['of'.repeat(20)]: Type.Object({ name: leaf }) }) });
  const before = withOutput({ gift: deep(text()) });
  const now = withOutput({ gift: deep(Type.Integer() as never), id: Type.Integer() });
  const at = { since: 'v1.0.0', commit: '0123456789abcdef' };
  const plain = (_look: unknown, said: string) => said;
  const shown = drawPromises(diffPromises(promised(before), promised(now)), at, plain);
  expect(shown).toMatch(/^What is promised since v1\.0\.0 \(0123456789ab\)\n\n {2}parcels\n {4}broken {3}\//);
  expect(shown).toMatch(/\nbroken {2}2 broken, 0 changed, 0 added\nnext /);
  for (const line of shown.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  const harmless = drawPromises(diffPromises(promised(base), promised(base)), at, plain);
  expect(harmless).toContain('Nothing differs.');
});
