// What is found of topics: settings by which the log would lose an event, refuse one, or forget it before its time.
import { expect, test } from 'vitest';
import type { LogState, TopicState } from '../log/port.ts';
import { topicsOf } from './event-log.ts';

const DAY = 86_400_000;
const topic = 'parcels.events';
const good: TopicState = {
  ...{ topic, partitions: 6, replicas: 3, minInSync: 2, behind: 0, offline: 0, cleanup: ['delete'] },
  ...{ maxBytes: 1_048_588, retentionMs: 7 * DAY, retentionBytes: null, uncleanLeaders: false },
};
const state = (own: Partial<TopicState>, brokers = 3): LogState => ({
  brokers,
  wanted: { partitions: 6, retentionMs: 7 * DAY, maxBytes: 1_048_588 },
  topics: [{ ...good, ...own }],
});
const kafka = (own: Partial<TopicState>, brokers = 3, production = true) =>
  topicsOf(state(own, brokers), 'kafka', [topic], production).map(({ level, found }) => `${level}: ${found}`);

test('a topic as it should be', () => {
  expect(kafka({})).toEqual(['ok: 6 partitions, 3 copies, kept for 7 days']);
  // The one broker of a laptop.
  expect(kafka({ replicas: 1, minInSync: 1 }, 1, false)).toEqual([
    'ok: 6 partitions, 1 copy, kept for 7 days',
  ]);
});

test.each<[string, Partial<TopicState>]>([
  ['error: cleanup.policy = compact', { cleanup: ['compact'] }],
  ['error: max.message.bytes = 1000', { maxBytes: 1_000 }],
  ['error: unclean.leader.election.enable = true', { uncleanLeaders: true }],
  ['error: min.insync.replicas = 4 of 3', { minInSync: 4 }],
  ['warning: min.insync.replicas = 3 of 3', { minInSync: 3 }],
  ['warning: min.insync.replicas = 1 of 3', { minInSync: 1 }],
  ['warning: is on 2 of 3 brokers', { replicas: 2, minInSync: 1 }],
  ['warning: has 1 partitions of 6', { partitions: 1 }],
  ['error: keeps events for 0.1 days of 7 days', { retentionMs: 0.1 * DAY }],
  ['warning: keeps events for 2 days of 7 days', { retentionMs: 2 * DAY }],
  ['warning: keeps events for ever', { retentionMs: null }],
  [
    'warning: keeps events for 30 days, longer than inboxes know them again (10 days)',
    { retentionMs: 30 * DAY },
  ],
  ['warning: retention.bytes = 1000', { retentionBytes: 1_000 }],
  ['error: 2 partitions have no leader', { offline: 2 }],
  ['warning: 3 partitions are on fewer brokers', { behind: 3 }],
])('%s', (words, own) => {
  expect(kafka(own)).toEqual([expect.stringContaining(words)]);
});

test('one copy is too few in production, on one broker too', () => {
  expect(kafka({ replicas: 1, minInSync: 1 }, 1)).toEqual([
    expect.stringMatching(/^warning: is on 1 of 1 broker:/),
  ]);
});

test('one that is missing is an error, and what the broker does not say is not judged', () => {
  const found = topicsOf(state({}), 'kafka', [topic, 'depots.events'], false);
  expect(found).toMatchObject([{ subject: 'depots.events', level: 'error' }, { level: 'ok' }]);
  const bare = { topic, partitions: 6 };
  expect(topicsOf({ ...state({}), topics: [bare] }, 'kafka', [topic], true)).toMatchObject([{ level: 'ok' }]);
});

test('in PostgreSQL: partitions, and whether anybody removes what is over its time', () => {
  const of = (own: Partial<TopicState>) =>
    topicsOf(
      {
        wanted: { partitions: 6, retentionMs: 7 * DAY },
        topics: [{ topic, partitions: 6, retentionMs: 7 * DAY, ...own }],
      },
      'postgres',
      [topic],
      true,
    ).map(({ level, found }) => `${level}: ${found}`);
  expect(of({ oldestSeconds: 6 * 86_400 })).toEqual(['ok: 6 partitions, kept for 7 days']);
  expect(of({ oldestSeconds: null })).toHaveLength(1);
  expect(of({ oldestSeconds: 8 * 86_400 })[0]).toMatch(/^warning: has events that are 8 days old/);
  expect(of({ partitions: 4 })[0]).toMatch(/^warning: has 4 partitions/);
});
