// What became of /asyncapi.json, for consumers in other languages that were written by it: where events stand, their
// names, their headers, their data. It reads the documents as JSON and knows no event.
import { escapePointer } from '../../src/banyan/contract/pointer.ts';
import { type JsonObject, withoutWords } from '../../src/banyan/placement/canonical.ts';
import { added, broken, type Change, pairs } from './change.ts';
import { schemaChanges, type Way } from './schemas.ts';

type Named = Readonly<Record<string, JsonObject>>;

export function asyncapiChanges(before: JsonObject, now: JsonObject): Change[] {
  const parts = (document: JsonObject, name: string) =>
    (((document.components ?? {}) as JsonObject)[name] ?? {}) as Named;
  return [
    ...pairs((before.channels ?? {}) as Named, (now.channels ?? {}) as Named).flatMap(([name, was, is]) =>
      channel(was, is, `/channels/${name}`),
    ),
    ...pairs(parts(before, 'messages'), parts(now, 'messages')).flatMap(([name, was, is]) =>
      message(was, is, `/components/messages/${escapePointer(name)}`).map((one) => ({ ...one, of: name })),
    ),
    ...pairs(parts(before, 'messageTraits'), parts(now, 'messageTraits')).flatMap(([name, was, is]) =>
      was && is ? schema(was, is, 'headers', `/components/messageTraits/${name}`, 'received') : [],
    ),
  ];
}

function channel(before: JsonObject | undefined, now: JsonObject | undefined, path: string): Change[] {
  if (!before) return [added(path, 'the channel is new')];
  if (!now) return [broken(path, 'the channel is gone')];
  return before.address === now.address
    ? []
    : [broken(`${path}/address`, `is ${now.address} instead of ${before.address}`)];
}

function message(before: JsonObject | undefined, now: JsonObject | undefined, path: string): Change[] {
  if (!before) return [added(path, 'the event is new')];
  if (!now) return [broken(path, 'the event is gone')];
  return [
    ...(before.name === now.name ? [] : [broken(`${path}/name`, `is ${now.name} instead of ${before.name}`)]),
    ...schema(before, now, 'headers', path, 'received'),
    ...schema(before, now, 'payload', path, 'kept'),
  ];
}

function schema(before: JsonObject, now: JsonObject, part: string, path: string, way: Way): Change[] {
  const of = (side: JsonObject) => withoutWords(side[part] ?? {});
  return schemaChanges(of(before), of(now), `${path}/${part}`, way);
}
