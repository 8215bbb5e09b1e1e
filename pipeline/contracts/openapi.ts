// What became of /openapi.json, for clients that were written by it. It sees what no contract says: the routes of the host
// itself, headers, scopes, the form of a problem. It reads the documents as JSON and knows no route.
import { escapePointer } from '../../src/banyan/contract/pointer.ts';
import { type Json, type JsonObject, withoutWords } from '../../src/banyan/placement/canonical.ts';
import { added, broken, type Change, changed, pairs } from './change.ts';
import { schemaChanges, type Way } from './schemas.ts';

const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

type Named = Readonly<Record<string, JsonObject>>;

export function openapiChanges(before: JsonObject, now: JsonObject): Change[] {
  return [
    ...pairs(routesOf(before), routesOf(now)).flatMap(([path, was, is]): Change[] => {
      const of = ((is ?? was)!.operationId as string | undefined) ?? path;
      const found = !was
        ? [added(path, 'the route is new')]
        : !is
          ? [broken(path, 'the route is gone')]
          : operation(was, is, path);
      return found.map((one) => ({ ...one, of }));
    }),
    ...pairs(schemasOf(before), schemasOf(now)).flatMap(([name, was, is]) =>
      schema(was, is, `/components/schemas/${name}`, 'received'),
    ),
  ];
}

/** By the pointer to each. */
function routesOf({ paths }: JsonObject): Named {
  return Object.fromEntries(
    Object.entries((paths ?? {}) as Record<string, JsonObject>).flatMap(([path, methods]) =>
      Object.entries(methods as Named).flatMap(([method, spec]) =>
        METHODS.has(method) ? [[`/paths/${escapePointer(path)}/${method}`, spec]] : [],
      ),
    ),
  );
}

function schemasOf({ components }: JsonObject): Named {
  return (((components ?? {}) as JsonObject).schemas ?? {}) as Named;
}

function operation(before: JsonObject, now: JsonObject, path: string): Change[] {
  return [
    ...security(before, now, path),
    ...pairs(parametersOf(before), parametersOf(now)).flatMap(([name, was, is]) =>
      parameter(was, is, `${path}/parameters/${escapePointer(name)}`),
    ),
    ...body(before.requestBody as JsonObject | undefined, now.requestBody as JsonObject | undefined, path),
    ...pairs(before.responses as Named, now.responses as Named).flatMap(([status, was, is]) =>
      response(status, was, is, `${path}/responses/${status}`),
    ),
  ];
}

/** Whoever had one of the ways in still has it; none at all lets everybody in. */
function security(before: JsonObject, now: JsonObject, path: string): Change[] {
  const ways = (spec: JsonObject) => ((spec.security ?? []) as Json[]).map((one) => JSON.stringify(one));
  const [was, is] = [ways(before), ways(now)];
  const at = `${path}/security`;
  if (is.length === 0) return was.length === 0 ? [] : [changed(at, 'everybody may call it now')];
  const gone = was.length === 0 ? ['everybody'] : was.filter((one) => !is.includes(one));
  return [
    ...gone.map((one) => broken(at, `${one} is let in no more`)),
    ...(was.length === 0 ? [] : is.filter((one) => !was.includes(one))).map((one) =>
      added(at, `${one} is let in as well`),
    ),
  ];
}

function parametersOf({ parameters }: JsonObject): Named {
  return Object.fromEntries(
    ((parameters ?? []) as unknown as { in: string; name: string }[]).map((one) => [
      `${one.in}.${one.name}`,
      one as unknown as JsonObject,
    ]),
  );
}

function parameter(before: JsonObject | undefined, now: JsonObject | undefined, path: string): Change[] {
  if (!now) return [broken(path, 'is no parameter any more')];
  if (!before)
    return [
      now.required
        ? broken(path, 'is required now, and callers of before never send it')
        : added(path, 'is a new parameter'),
    ];
  const stricter = now.required === true && before.required !== true;
  return [
    ...(stricter ? [broken(path, 'is required now, and callers of before may leave it out')] : []),
    ...schema(before.schema as JsonObject, now.schema as JsonObject, `${path}/schema`, 'sent'),
  ];
}

function body(before: JsonObject | undefined, now: JsonObject | undefined, path: string): Change[] {
  const at = `${path}/requestBody`;
  if (!before || !now) {
    if (before) return [broken(at, 'it takes no body any more')];
    return now ? [now.required ? broken(at, 'it needs a body now') : added(at, 'it takes a body now')] : [];
  }
  return contents(before, now, at, 'sent');
}

function response(
  status: string,
  before: JsonObject | undefined,
  now: JsonObject | undefined,
  path: string,
): Change[] {
  if (!before) return [added(path, 'may be answered as well')];
  // A failure that is answered no more is nobody's loss.
  if (!now) return [(/^[123]/.test(status) ? broken : changed)(path, 'is answered no more')];
  const headers = pairs((before.headers ?? {}) as Named, (now.headers ?? {}) as Named);
  return [
    ...headers.flatMap(([name, was, is]): Change[] => {
      const at = `${path}/headers/${escapePointer(name)}`;
      if (!was) return [added(at, 'the header is new')];
      return is ? [] : [broken(at, 'the header is gone')];
    }),
    ...contents(before, now, path, 'received'),
  ];
}

function contents(before: JsonObject, now: JsonObject, path: string, way: Way): Change[] {
  const of = ({ content }: JsonObject) => (content ?? {}) as Named;
  return pairs(of(before), of(now)).flatMap(([type, was, is]): Change[] => {
    const at = `${path}/content/${escapePointer(type)}`;
    if (!was) return [added(at, 'the media type is new')];
    if (!is) return [broken(at, 'the media type is gone')];
    return schema(was.schema as JsonObject, is.schema as JsonObject, `${at}/schema`, way);
  });
}

function schema(
  before: JsonObject | undefined,
  now: JsonObject | undefined,
  path: string,
  way: Way,
): Change[] {
  if (!before || !now)
    return before ? [broken(path, 'the schema is gone')] : [added(path, 'the schema is new')];
  return schemaChanges(withoutWords(before), withoutWords(now), path, way);
}
