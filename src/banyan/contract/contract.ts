// A contract: what a module promises to others, in one definition: operations, events, errors.
// From it alone come the Fastify routes, the OpenAPI and AsyncAPI pages, the typed client that other
// modules use and the stub that calls over the network.
// It must not know how anything is implemented, nor where it runs.
import type { Static, TObject, TProperties, TSchema } from 'typebox';
import type { Needed } from '../context/scopes.ts';
import { Type } from './type.ts';

/**
 * Who may call an operation.
 * - `public`: anyone. `session`: a signed-in user. `admin`: a session with role admin, or an operator with the scope.
 * - `operator`: an operator with the scope and nobody else (the routes under /admin). ADMIN_TOKEN has all scopes.
 * - `internal`: another module, never a client.
 */
export type Access = 'public' | 'session' | 'admin' | 'operator' | 'internal';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** An error that an operation may answer with, as an RFC 9457 problem. */
export interface ErrorSpec {
  readonly status: number;
  readonly title: string;
}

/** The HTTP route of an operation. Absent: the operation is reached through a ref alone. */
export interface HttpBinding {
  readonly method: Method;
  /** A Fastify path with `:name` for the fields of the input that stand in it. */
  readonly path: string;
  /** The status of a success; several when the answer decides (see `statusOf`). Default 200. */
  readonly status?: number;
  /** Other success statuses, with the rule that picks one from the output. */
  readonly statusOf?: (output: unknown) => number;
  readonly statuses?: readonly number[];
}

/** A multipart upload: one file in `field`, at most `maxBytes`; the handler finds it in `call.upload`. */
export interface UploadSpec {
  readonly field: string;
  readonly maxBytes: number;
}

/**
 * How an operation takes part while requests of its module are also tried on the service, and compared (a shadow).
 * `never`: it cannot, for this reason. `reads`: it has no route and changes nothing, as a GET. `ignore`: places of the
 * answer, as `/body/seenAt`, that may differ; a step `*` is any.
 */
export interface ShadowSpec {
  readonly never?: string;
  readonly reads?: true;
  readonly ignore?: readonly string[];
}

/**
 * `list`: the style in force, what is open in numbers, and with any filter the sagas themselves. `style`: sets the style of
 * those that begin from now on. `show`, `retry`, `cancel`: of one, whose id is in the path.
 */
export type SagaRole = 'list' | 'style' | 'show' | 'retry' | 'cancel';

export interface SagaPart {
  readonly role: SagaRole;
  /** The words that do the same in a terminal, with fields of the input as `:name`; absent: there are none. */
  readonly command?: string;
}

/** `A`, `D` and `U` keep what a handler's types follow from: who may call, what it answers, whether a file comes. */
export interface OperationSpec<
  I extends TObject = TObject,
  O extends TSchema = TSchema,
  A extends Access = Access,
  D extends boolean = boolean,
  U extends UploadSpec | undefined = UploadSpec | undefined,
> {
  readonly summary: string;
  readonly description?: string;
  readonly access: A;
  /** The scope that an operator needs for it, or any of several; where operators are let in at all. */
  readonly scope?: Needed;
  /**
   * One flat object: fields named in the path come from the path, fields in `headers` from a header,
   * the rest from the query (GET, DELETE) or the JSON body (POST, PUT, PATCH).
   */
  readonly input: I;
  readonly output: O;
  readonly http?: HttpBinding;
  /** Input field to HTTP header, for example `{ idempotencyKey: 'Idempotency-Key' }`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly upload?: U;
  /** Bytes that a body may have although its schema sets no lengths, for free data; at least 64 kB always. */
  readonly maxBodyBytes?: number;
  /** The handler answers with a `Download` (bytes with a content type) instead of JSON. */
  readonly download?: D;
  /** Asking twice is the same as asking once: a caller may retry it when the connection was lost. */
  readonly idempotent: boolean;
  /**
   * Fields of the example in /openapi.json that only the operation knows, such as those that depend on one another or
   * on which modules there are. The others follow from their schemas.
   */
  readonly example?: (contracts: readonly Contract[]) => Readonly<Record<string, unknown>>;
  /** Absent: a GET is a read and everything else a write, and nothing of it is ignored. */
  readonly shadow?: ShadowSpec;
  /** What it is of the sagas that the module has, for whoever shows them and knows no module (saga/desk.ts). */
  readonly saga?: SagaPart;
  /** The names, among the contract's errors, that this operation may answer with. */
  readonly errors?: readonly string[];
}

/** An event: a fact in the past tense, versioned, keyed by the field that it is ordered by. */
export interface EventSpec<D extends TObject = TObject> {
  readonly summary: string;
  /** The major version; part of the type on the wire (`parcels.parcel-sent.v1`). */
  readonly version: number;
  /** The field of `data` that is the key: order holds among events of one topic with one key. */
  readonly key: keyof Static<D> & string;
  readonly data: D;
}

/** Where an event comes from; derived from its module and name. */
export interface EventPlace {
  readonly module: string;
  readonly name: string;
  /** `<module>.<event>.v<major>`: the CloudEvents type. */
  readonly type: string;
  /** `<module>.events`. */
  readonly topic: string;
}

/** An event with its place: what `publish` and `on` take. */
export interface EventDefinition<D extends TObject = TObject> extends EventSpec<D>, EventPlace {}

export interface ContractSpec {
  readonly summary: string;
  readonly errors?: Readonly<Record<string, ErrorSpec>>;
  readonly operations: Readonly<Record<string, OperationSpec>>;
  readonly events?: Readonly<Record<string, EventSpec>>;
  /**
   * What was added since the version before, as a service of that version lacks it and is taken all the same: paths into
   * the contract, such as `/operations/show` or `/events/parcel-lost`. Emptied with the next version.
   */
  readonly mayLack?: readonly string[];
}

export interface Contract<S extends ContractSpec = ContractSpec> {
  readonly module: string;
  readonly summary: string;
  readonly errors: NonNullable<S['errors']>;
  readonly operations: S['operations'];
  readonly events: { readonly [E in keyof S['events']]: S['events'][E] & EventPlace };
  readonly mayLack?: readonly string[];
}

export type OperationsOf<C extends Contract> = C['operations'];
export type InputOf<O extends OperationSpec> = Static<O['input']>;
export type OutputOf<O extends OperationSpec> = Static<O['output']>;
export type DataOf<E extends EventSpec> = Static<E['data']>;

/** Keeps the literal types of one operation; the only reason it is a function. What it does not name is not there. */
export function operation<
  I extends TObject,
  O extends TSchema,
  A extends Access,
  D extends boolean = false,
  U extends UploadSpec | undefined = undefined,
>(spec: OperationSpec<I, O, A, D, U> & ScopeOf<A>): OperationSpec<I, O, A, NoInfer<D>, NoInfer<U>> {
  return spec;
}

/** What operators are let do names its scope, and nothing else has one. */
type ScopeOf<A extends Access> = A extends 'operator' | 'admin'
  ? { readonly scope: Needed }
  : { readonly scope?: never };

/** Keeps the literal types of one event. */
export function event<D extends TObject>(spec: EventSpec<D>): EventSpec<D> {
  return spec;
}

/** An object that takes no field it does not name: what a closed input looks like in every contract. */
export function closed<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false });
}

/** The input of an operation that takes nothing. */
export const nothing = closed({});

/** An answer without a body (204). */
export const empty = Type.Null();

/** A list answers `{items, nextCursor}`; `nextCursor` is null on the last page. */
export function page<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) });
}

export function defineContract<const S extends ContractSpec>(module: string, spec: S): Contract<S> {
  const events: Record<string, EventDefinition> = {};
  for (const [name, one] of Object.entries(spec.events ?? {})) {
    events[name] = {
      ...one,
      module,
      name,
      type: `${module}.${name}.v${one.version}`,
      topic: `${module}.events`,
    };
  }
  for (const [name, one] of Object.entries(spec.operations)) {
    if ((one.access === 'operator' || one.access === 'admin') && one.scope === undefined)
      throw new Error(`${module}.${name} is for operators; say which scope they need for it: scope: 'read'`);
    for (const error of one.errors ?? []) {
      if (!spec.errors?.[error])
        throw new Error(`${module}.${name} names the error "${error}", which its contract does not define`);
    }
  }
  return {
    module,
    summary: spec.summary,
    errors: (spec.errors ?? {}) as NonNullable<S['errors']>,
    operations: spec.operations,
    events: events as Contract<S>['events'],
    ...(spec.mayLack && { mayLack: spec.mayLack }),
  };
}
