// What became of a contract, for those who relied on it: callers, clients, listeners. One function for each part of an
// operation or event. It judges promises alone, and knows no module.
import { type CanonicalContract, type JsonObject, own } from '../../src/banyan/placement/canonical.ts';
import { added, broken, type Change, changed, pairs, same } from './change.ts';
import { schemaChanges } from './schemas.ts';

type Rule = (before: JsonObject, now: JsonObject, path: string) => Change[];
type Promises = Pick<CanonicalContract, 'operations' | 'events' | 'errors'>;

const nothing: Promises = { operations: {}, events: {}, errors: {} };

/** @param before, now undefined: there was or is none. */
export function contractChanges(before: Promises = nothing, now: Promises = nothing): Change[] {
  return [
    ...each('operation', before.operations, now.operations, operationRules),
    ...each('event', before.events, now.events, eventRules),
    ...pairs(before.errors, now.errors).flatMap(([name, was, is]): Change[] => {
      const path = `/errors/${name}`;
      if (was === undefined) return [added(path, 'the error is new')];
      if (is === undefined) return [changed(path, 'the error is gone')];
      return was === is ? [] : [broken(path, `its status is ${is} instead of ${was}`)];
    }),
  ];
}

function each(
  word: 'operation' | 'event',
  before: Readonly<Record<string, JsonObject>>,
  now: Readonly<Record<string, JsonObject>>,
  rules: readonly Rule[],
): Change[] {
  return pairs(before, now).flatMap(([name, was, is]) => {
    const path = `/${word}s/${name}`;
    if (was === undefined) return [added(path, `the ${word} is new`)];
    if (is === undefined) return [broken(path, `the ${word} is gone`)];
    return rules.flatMap((rule) => rule(was, is, path));
  });
}

/** Who may call it before may call it now: everybody may what is public, and an admin is an operator or more. */
const access: Rule = (before, now, path) => {
  const [was, is] = [before.access, now.access];
  if (was === is) return [];
  const wider = is === 'public' || (was === 'operator' && is === 'admin');
  return [(wider ? changed : broken)(`${path}/access`, `is ${is} instead of ${was}`)];
};

interface Route {
  readonly method: string;
  readonly path: string;
  readonly statuses: readonly number[];
}

const route: Rule = (before, now, path) => {
  const [was, is] = [before.http, now.http] as unknown as (Route | undefined)[];
  const at = `${path}/http`;
  if (!was || !is) {
    if (is) return [added(at, `it has a route now, ${is.method} ${is.path}`)];
    return was ? [broken(at, `its route is gone, ${was.method} ${was.path}`)] : [];
  }
  const moved = (['method', 'path'] as const).filter((part) => was[part] !== is[part]);
  return [
    ...moved.map((part) => broken(`${at}/${part}`, `is ${is[part]} instead of ${was[part]}`)),
    ...without(was.statuses, is.statuses).map((one) =>
      broken(`${at}/statuses/${one}`, 'is answered no more'),
    ),
    ...without(is.statuses, was.statuses).map((one) =>
      added(`${at}/statuses/${one}`, 'may be answered as well'),
    ),
  ];
};

const headers: Rule = (before, now, path) =>
  pairs((before.headers ?? {}) as JsonObject, (now.headers ?? {}) as JsonObject).flatMap(
    ([field, was, is]): Change[] => {
      const at = `${path}/headers/${field}`;
      if (was === undefined) {
        const fields = ((before.input as JsonObject).properties ?? {}) as JsonObject;
        return own(fields, field) === undefined
          ? [added(at, `comes from the header ${is}`)]
          : [broken(at, `comes from the header ${is} now, and callers of before send it elsewhere`)];
      }
      if (was === is) return [];
      return [broken(at, is === undefined ? `is no header any more` : `is ${is} instead of ${was}`)];
    },
  );

const upload: Rule = (before, now, path) => {
  const [was, is] = [before.upload, now.upload] as unknown as (
    | { field: string; maxBytes: number }
    | undefined
  )[];
  const at = `${path}/upload`;
  if (same(was, is)) return [];
  if (!was || !is) return [broken(at, is ? 'it takes a file now' : 'it takes no file any more')];
  if (was.field !== is.field) return [broken(`${at}/field`, `is ${is.field} instead of ${was.field}`)];
  return [
    (is.maxBytes < was.maxBytes ? broken : changed)(
      `${at}/maxBytes`,
      `is ${is.maxBytes} instead of ${was.maxBytes}`,
    ),
  ];
};

const download: Rule = (before, now, path) =>
  same(before.download, now.download)
    ? []
    : [broken(`${path}/download`, now.download ? 'it answers bytes now' : 'it answers JSON now')];

const idempotent: Rule = (before, now, path) => {
  if (before.idempotent === now.idempotent) return [];
  const at = `${path}/idempotent`;
  return [
    now.idempotent
      ? changed(at, 'it is idempotent now')
      : broken(at, 'callers repeat it, and it is no longer idempotent'),
  ];
};

const errors: Rule = (before, now, path) => {
  const [was, is] = [before.errors, now.errors] as unknown as string[][];
  return [
    ...without(is!, was!).map((name) => added(`${path}/errors/${name}`, 'may be answered as well')),
    ...without(was!, is!).map((name) => changed(`${path}/errors/${name}`, 'is answered no more')),
  ];
};

const schema =
  (part: string, way: Parameters<typeof schemaChanges>[3]): Rule =>
  (before, now, path) =>
    schemaChanges(before[part]!, now[part]!, `${path}/${part}`, way);

const operationRules: readonly Rule[] = [
  ...[access, route, headers, upload, download, idempotent, errors],
  schema('input', 'sent'),
  schema('output', 'received'),
];

const version: Rule = (before, now, path) =>
  before.version === now.version
    ? []
    : [
        broken(
          `${path}/version`,
          `is ${now.version} instead of ${before.version}: listeners of before hold its keys until they know it`,
        ),
      ];

const key: Rule = (before, now, path) =>
  before.key === now.key
    ? []
    : [broken(`${path}/key`, `is ${now.key} instead of ${before.key}: order holds among other events`)];

const eventRules: readonly Rule[] = [version, key, schema('data', 'kept')];

function without<T>(some: readonly T[], others: readonly T[]): T[] {
  return some.filter((one) => !others.includes(one));
}
