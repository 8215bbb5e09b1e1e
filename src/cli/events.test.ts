// What the events commands make of times, of texts from outside and of what a person types in an editor.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { EventsOverview, Verified, WholeEvent } from '../banyan/events/operations/schemas.ts';
import { drawVerified } from './commands/verify.ts';
import { editJson } from './editor.ts';
import { drawEvent } from './event-picture.ts';
import { drawOverview } from './events-picture.ts';
import type { Failure } from './failure.ts';
import { oneLine } from './plain.ts';
import { lasting, moment, plural } from './times.ts';

describe('times', () => {
  test.each([
    ['90s', 90_000],
    ['30m', 1_800_000],
    ['2h', 7_200_000],
    ['1.5d', 129_600_000],
  ])('%s ago', (text, ms) => {
    expect(Math.abs(Date.now() - ms - Date.parse(moment(text)))).toBeLessThan(1_000);
  });

  test('a date, with or without a time and a zone', () => {
    expect(moment('2026-11-21T10:00:00Z')).toBe('2026-11-21T10:00:00.000Z');
    expect(moment('2026-11-21')).toBe('2026-11-21T00:00:00.000Z');
    expect(moment('2026-11-21T10:00+01:00')).toBe('2026-11-21T09:00:00.000Z');
  });

  test.each(['yesterday', '5', '-2h', '', '2026', '2h30m'])('"%s" is refused with what it takes', (text) => {
    expect(() => moment(text)).toThrow(/such as 2026-11-21T10:00Z/);
  });

  test('in few words', () => {
    expect([0.26, 5, 45, 89, 120, 3_600, 9_000, 400_000].map(lasting)).toEqual([
      '0.3 s',
      '5 s',
      '45 s',
      '89 s',
      '2 min',
      '1 h',
      '2.5 h',
      '5 days',
    ]);
    expect([plural(1, 'event'), plural(1234, 'event'), plural(0, 'delivery', 'deliveries')]).toEqual([
      '1 event',
      '1,234 events',
      '0 deliveries',
    ]);
  });
});

test('what comes from outside cannot move the cursor', () => {
  expect(oneLine('a\u001b[2Jb\r\nc\u0007\u009bd')).toBe('a [2Jb c d');
});

test('a log that is ahead of a store is said with its place and what to do, and changes no line for scripts', () => {
  const none = { lost: 0, doubled: 0, inverted: 0 };
  const topic: Verified['topics'][number] = {
    ...{
      topic: 'orders.events',
      sent: 5,
      waiting: 0,
      logged: 5,
      repeated: 0,
      foreign: 3,
      ...none,
      consumers: [],
    },
    ...{ ahead: 3, aheadFrom: { partition: 2, offset: '4711', at: '2026-11-29T12:00:00.000Z' } },
  };
  const found: Verified = {
    ...{ from: '2026-11-29T11:00:00.000Z', until: '2026-11-29T12:00:00.000Z', ...none, inFlight: 0, dead: 0 },
    ...{ foreign: 3, ahead: 3, unreadable: [], topics: [topic], examples: [] },
  };
  const lines = drawVerified(found, (_, text) => text).split('\n');
  expect(lines).toContain('  The log is ahead of orders by 3 events');
  expect(lines.some((line) => line.includes('partition 2, offset 4711'))).toBe(true);
  expect(lines.some((line) => line.includes('RESTORED=1'))).toBe(true);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.at(-2)).toBe('lost 0 doubled 0 inverted 0');
});

test('an event that was mended shows all of what it was and of what was written, and who published it', () => {
  const at = '2026-11-21T10:00:00.000Z';
  const letter = {
    ...{ module: 'orders', id: 'x', topic: 'catalog.events', key: 'a', sequence: 1, type: 'catalog.sold.v1' },
    ...{ state: 'done' as const, reason: null, attempts: 1, holds: false, behind: 0, nextAt: null },
    ...{ receivedAt: at, firstFailedAt: at, since: at, meaning: 'It is done.', history: [] },
  };
  const note = `a long one ${'.'.repeat(100)} with its end`;
  const edit = { at, action: 'redrive', by: 'grace', why: null, detail: {} };
  const event: WholeEvent = {
    ...{
      id: 'x',
      topic: letter.topic,
      type: letter.type,
      key: 'a',
      sequence: 1,
      time: at,
      data: {},
      text: null,
    },
    ...{ correlationId: null, causationId: null, traceparent: null, place: 'log', sentAt: at, log: null },
    byHand: { by: 'ada', at },
    deliveries: [
      { ...letter, audit: [{ ...edit, original: '{"broken', replacement: JSON.stringify({ note }) }] },
    ],
  };
  const drawn = drawEvent(event, { style: (_, text) => text, now: Date.parse(at) });
  expect(drawn).toMatch(/by hand +\S.* by ada\n/);
  expect(drawn).toContain('before the edit:\n        {"broken');
  expect(drawn).toContain(`after the edit:\n        {\n          "note": ${JSON.stringify(note)}\n        }`);
});

const quiet: EventsOverview['modules'][number] = {
  module: 'notifications',
  outbox: { waiting: 0, oldestSeconds: 0 },
  relay: { holder: 'monolith', perSecond: 0 },
  lag: { events: 0, seconds: 0, topics: [{ topic: 'orders.events', events: 0, seconds: 0 }] },
  deliveries: { waiting: 0, queued: 0, early: 0, 'unknown-version': 0, dead: 0 },
  heldKeys: 0,
  parked: [],
  refused: [],
};

describe('the overview', () => {
  const draw = (modules: Partial<typeof quiet>[], reachable = true) =>
    drawOverview(
      { log: { kind: 'kafka', reachable }, modules: modules.map((one) => ({ ...quiet, ...one })) },
      'http://127.0.0.1:3000',
      { style: (_format, text) => text, now: 0 },
    );

  test('stays in 80 columns when everything is large', () => {
    const large = {
      outbox: { waiting: 1_234_567, oldestSeconds: 1e6 },
      relay: { holder: 'notifications-12', perSecond: 83_000 },
      lag: { events: 98_765_432, seconds: 1e6, topics: [{ topic: 't', events: 98_765_432, seconds: 1e6 }] },
      deliveries: { waiting: 9_999, queued: 99_999, early: 0, 'unknown-version': 0, dead: 9_999 },
      heldKeys: 12_345,
    };
    const lines = draw([large, { ...large, module: 'orders' }]).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  test('says what to do next', () => {
    expect(draw([{}])).not.toContain('events dead');
    const dead = { deliveries: { ...quiet.deliveries, dead: 2 }, heldKeys: 1 };
    expect(draw([dead])).toMatch(/1 key of notifications(.|\n)*npx banyan events dead notifications/);
    const refused = {
      part: 'relay' as const,
      reason: 'It may not',
      remedy: 'let it',
      host: 'orders-1',
      since: '',
    };
    expect(draw([{ refused: [refused] }])).toMatch(/the relay of notifications at orders-1(.|\n)*let it/);
    expect(draw([{ lag: null }], false)).toMatch(/does not answer(.|\n)*events wait in the outboxes/);
  });
});

describe('the editor', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'banyan-editor-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** An "editor" that writes this text. */
  const typing = (text: string) => {
    writeFileSync(join(folder, 'typed'), text);
    return { EDITOR: `cp ${join(folder, 'typed')}` };
  };
  const failing = async (work: Promise<unknown>) =>
    work.then(
      () => undefined,
      (error: Failure) => error,
    );

  test('answers what was typed; the file goes when it was taken', async () => {
    const edited = await editJson('{"a":1}', 'id', typing('{"a":2}'), 'again --data');
    expect(edited.data).toEqual({ a: 2 });
    edited.done();
    expect(existsSync(edited.path)).toBe(false);
  });

  test('keeps what is not JSON, and says where', async () => {
    const failed = await failing(editJson('{"a":1}', 'id', typing('{"a":'), 'again --data'));
    const path = /Mend (\S+),/.exec(failed!.next!)![1]!;
    expect(readFileSync(path, 'utf8')).toBe('{"a":');
    rmSync(join(path, '..'), { recursive: true });
  });

  test('sends nothing when nothing changed, or when the editor failed', async () => {
    expect((await failing(editJson('{"a":1}', 'id', { EDITOR: 'true' }, 'again')))!.problem.code).toBe(
      'unchanged',
    );
    expect((await failing(editJson('{"a":1}', 'id', { EDITOR: 'false' }, 'again')))!.problem.code).toBe(
      'no-editor',
    );
  });
});
