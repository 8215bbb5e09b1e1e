// What a service sends to control, as a schema, and all that a schema cannot say of it: the schemas of a contract are
// schemas, PostgreSQL can store every text, the address is one. Guarantees: what passes can be compared, stored and
// routed by; what does not is refused with the paths that are wrong. It knows no store.
import type { Static } from 'typebox';
import { TOO_DEEP, tooDeep } from '../contract/depth.ts';
import { line } from '../contract/fields.ts';
import type { FieldError } from '../contract/problem.ts';
import { Type } from '../contract/type.ts';
import { inputCheck, invalid } from '../contract/validation.ts';
import { RELEASE } from '../routing/release.ts';
import { notAnOrigin } from './advertised.ts';
import { schemaFaults } from './schema-shape.ts';
import { unstorable } from './storable.ts';

/** Requests of one module at once; PostgreSQL sums them as int4. */
const Counts = Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: 1_000_000 }));
const StoreReport = Type.Object({
  epoch: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  held: Type.Boolean(),
  open: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
  ready: Type.Optional(Type.Boolean()),
});
const Process = Type.Object({
  machine: line({ maxLength: 300 }),
  pid: Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }),
  started: line({ maxLength: 300 }),
});
const Id = Type.String({ format: 'uuid' });

/** The parts of a canonical contract that are looked into; the others are compared as they are. */
const Contract = Type.Object({
  operations: Type.Record(
    Type.String(),
    Type.Object({ errors: Type.Array(Type.String()), input: Type.Unknown(), output: Type.Unknown() }),
  ),
  events: Type.Record(Type.String(), Type.Object({ data: Type.Unknown() })),
  errors: Type.Record(Type.String(), Type.Integer()),
});

export const SyncRequest = Type.Object({
  /** The tag of the picture that the host has; '' for none. */
  tag: Type.String({ maxLength: 1000 }),
  /** How long to wait for another picture, at most 1000 ms. */
  waitMs: Type.Integer({ minimum: 0, maximum: 1000 }),
  /** Which words of placement the host knows; absent: those of the version before. */
  speaks: Type.Optional(Type.Array(line({ minLength: 1, maxLength: 40 }), { maxItems: 20 })),
  register: Type.Optional(
    Type.Object({
      host: Id,
      id: Type.String({ maxLength: 200, pattern: '^[a-z][a-z0-9-]*-[1-9][0-9]*$' }),
      role: Type.Literal('service'),
      modules: Type.Array(line({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 1000 }),
      url: Type.String({ maxLength: 2000, pattern: '^[Hh][Tt][Tt][Pp][Ss]?://' }),
      doors: Type.Array(Type.Union([Type.Literal('ws'), Type.Literal('http')]), {
        minItems: 1,
        maxItems: 10,
      }),
      /** For hosts of one machine: whether it lives can be looked at. Absent: it lives while it beats. */
      process: Type.Optional(Process),
      contracts: Type.Record(Type.String(), Contract),
      /** Of which release it is; absent: nobody can tell it from others. */
      release: Type.Optional(Type.String({ maxLength: 128, pattern: RELEASE.source })),
    }),
  ),
  beat: Type.Optional(
    Type.Object({
      host: Id,
      appliedVersion: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      ready: Type.Boolean(),
      draining: Type.Boolean(),
      inflight: Counts,
      busy: Counts,
      /** Absent: it is of the version before, or none of its stores has ever moved. */
      stores: Type.Optional(Type.Record(Type.String(), StoreReport, { maxProperties: 1000 })),
    }),
  ),
  /** The host stops. */
  leave: Type.Optional(Id),
});
export type SyncRequest = Static<typeof SyncRequest>;

const fits = inputCheck(SyncRequest);

/** Throws the 422 problem. */
export function checkSync(body: unknown): asserts body is SyncRequest {
  const deep = tooDeep(body);
  if (deep !== undefined) throw invalid([{ path: deep, message: TOO_DEEP }]);
  fits(body);
  const wrong = [...unstorable(body), ...ofRegistration((body as SyncRequest).register)];
  if (wrong.length > 0) throw invalid(wrong.slice(0, 10));
}

function ofRegistration(register: SyncRequest['register']): FieldError[] {
  if (!register) return [];
  const wrong = notAnOrigin(register.url);
  const address = wrong === undefined ? [] : [{ path: '/register/url', message: wrong }];
  const shapes = Object.entries(register.contracts).flatMap(([module, { operations, events }]) => {
    const at = `/register/contracts/${module}`;
    return [
      ...Object.entries(operations).flatMap(([name, { input, output }]) => [
        ...schemaFaults(input, `${at}/operations/${name}/input`),
        ...schemaFaults(output, `${at}/operations/${name}/output`),
      ]),
      ...Object.entries(events).flatMap(([name, { data }]) =>
        schemaFaults(data, `${at}/events/${name}/data`),
      ),
    ];
  });
  return [...address, ...shapes];
}
