// The operations that read the log beside its groups: show, tail, replay, verify.

import { doneBy } from '../../context/principal.ts';
import type { Handlers } from '../../contract/handlers.ts';
import { problem } from '../../contract/problem.ts';
import { Type } from '../../contract/type.ts';
import { describeObstacle, LOG_DAYS } from '../../log/port.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import { defaultRetention } from '../retention.ts';
import { audit } from './audit.ts';
import { events, VERIFY_MOST_DAYS } from './contract.ts';
import { cursors } from './cursor.ts';
import { findEvent } from './find.ts';
import { ReplayObstructed, ReplayStopped, replay } from './replay.ts';
import { invalid, type Site, span } from './site.ts';
import { skip } from './skip.ts';
import { tail } from './tail.ts';
import type { Verified } from './verdict.ts';
import { verify } from './verify.ts';
import { SpanTooLong } from './verify-topic.ts';
import { wholeEvent } from './whole-event.ts';

type Names = 'show' | 'replay' | 'verify' | 'tail' | 'skip';

const Position = Type.Record(Type.String({ pattern: '^\\d{1,9}$' }), Type.String({ pattern: '^\\d{1,19}$' }));
const Time = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000 });
const tails = cursors(Type.Object({ since: Time, at: Type.Record(Type.String(), Position) }));
const replays = cursors(Type.Object({ topic: Type.String(), until: Time, at: Position }));

const REPLAY_BUDGET_MS = 10_000;
const VERIFY_DEFAULT_MS = 3_600_000;
const VERIFY_MOST_MS = VERIFY_MOST_DAYS * 24 * 3_600_000;

export function logHandlers(site: Site): Pick<Handlers<typeof events>, Names> {
  const { eventLog } = site;
  return {
    show: async ({ id }) => {
      const found = await findEvent(site.some(undefined), eventLog, id);
      if (!found)
        throw problem(events, 'event-unknown', {
          detail: `No outbox, ledger or inbox here knows ${id}. Sent events are remembered for ${defaultRetention.sentDays} days.`,
        });
      return wholeEvent(id, found);
    },

    tail: async ({ topic, from, waitMs = 10_000, limit = 100, cursor }, { signal }) => {
      const topics = topic === undefined ? site.topics() : [site.topic(topic)];
      site.all();
      const at = cursor === undefined ? undefined : tails.read(cursor);
      const since = at ? new Date(at.since) : from === undefined ? new Date() : span({ from }).from;
      await eventLog.ensureTopics(topics);
      const found = await tail(eventLog, {
        topics,
        since,
        positions: at?.at ?? {},
        limit,
        waitMs,
        signal: signal ? AbortSignal.any([signal, site.closing]) : site.closing,
      });
      return {
        items: found.events,
        nextCursor: tails.write({ since: since.getTime(), at: found.positions }),
      };
    },

    replay: replayHandler(site),

    skip: async ({ topic, changedBy, ...place }, call) => {
      call.change = { after: { topic, ...place } };
      const by = doneBy(call.principal, changedBy);
      return { items: await skip(site.some(undefined), { ...place, topic: site.topic(topic), by }) };
    },

    verify: async ({ from, until }) => {
      const end = until === undefined ? Date.now() : Date.parse(until);
      const time = span({
        from: from ?? new Date(Math.min(end, Date.now()) - VERIFY_DEFAULT_MS).toISOString(),
        until,
      });
      if (time.from.getTime() < Date.now() - VERIFY_MOST_MS)
        throw invalid({
          path: '/from',
          message: `must be within ${VERIFY_MOST_DAYS} days: the log keeps ${LOG_DAYS}`,
        });
      try {
        return summed(time, await verify(site.some(undefined), eventLog, time));
      } catch (error) {
        if (error instanceof SpanTooLong) throw invalid({ path: '/from', message: error.message });
        throw error;
      }
    },
  };
}

function replayHandler(site: Site): Handlers<typeof events>['replay'] {
  return async ({ topic, from, until, to, cursor, changedBy }, call) => {
    const { principal, signal } = call;
    call.change = { after: { topic, from, until, to, continued: cursor !== undefined } };
    const consumer = site.one(to);
    site.topic(topic);
    const before = cursor === undefined ? undefined : replays.read(cursor);
    if (before && before.topic !== topic)
      throw invalid({ path: '/cursor', message: `belongs to a replay of ${before.topic}` });
    const time = span({ from, until: before ? new Date(before.until).toISOString() : until });
    refuseUnlessReplayable(consumer, topic);
    if (!before) {
      await audit(poolSql(consumer), nameOf(consumer), [
        { action: 'replay', by: doneBy(principal, changedBy), detail: { topic, ...time } },
      ]);
    }
    await site.announce(nameOf(consumer));
    const options = { topic, ...time, positions: before?.at, budgetMs: REPLAY_BUDGET_MS, signal };
    const done = await replay(consumer, site.eventLog, options).catch((error: unknown) => {
      if (error instanceof ReplayObstructed) throw obstructed(error);
      throw error instanceof ReplayStopped ? stopped(consumer, error) : error;
    });
    const rest = done.positions && { topic, until: time.until.getTime(), at: done.positions };
    return {
      replayed: done.replayed,
      skipped: done.skipped,
      until: time.until.toISOString(),
      nextCursor: rest ? replays.write(rest) : null,
    };
  };
}

function refuseUnlessReplayable(consumer: ModuleEvents, topic: string): void {
  const listened = consumer.listeners.filter(({ event }) => event.topic === topic);
  if (listened.some(({ replayable }) => replayable)) return;
  const module = nameOf(consumer);
  throw problem(events, 'not-replayable', {
    detail:
      listened.length === 0
        ? `${module} does not listen to ${topic}.`
        : `${module} listens to ${topic} and declares none of it replayable. Where handling an event twice is right, ` +
          'say so in its listener: on(event, handle, { replayable: true }).',
  });
}

function stopped(consumer: ModuleEvents, { replayed, event, message, cause }: ReplayStopped) {
  return problem(events, 'replay-stopped', {
    detail:
      `${nameOf(consumer)} failed three times at ${event.type} ${event.id}: ${message}. ` +
      `Mend the cause, then replay again from ${event.at.toISOString()}.`,
    extra: { replayed, event: event.id, at: event.at.toISOString() },
    cause,
  });
}

function obstructed({ obstacle, replayed }: ReplayObstructed) {
  const { topic, partition, offset, last } = obstacle;
  return problem(events, 'log-unreadable', {
    detail:
      `${describeObstacle(obstacle)} Nothing behind it was replayed: later events of its keys would come without those in ` +
      'it. Replay from a time after it, or up to one before it.',
    extra: { replayed, topic, partition, offset, last },
  });
}

function poolSql({ store }: ModuleEvents) {
  return {
    query: async (text: string, values?: readonly unknown[]) =>
      store.pool.query(text, values as unknown[]) as never,
  };
}

function summed({ from, until }: { from: Date; until: Date }, { topics, examples, unreadable }: Verified) {
  const consumers = topics.flatMap((one) => one.consumers);
  const faults = [...topics, ...consumers];
  const sum = <T>(some: readonly T[], of: (one: T) => number) => some.reduce((n, one) => n + of(one), 0);
  return {
    from: from.toISOString(),
    until: until.toISOString(),
    lost: sum(faults, ({ lost }) => lost),
    doubled: sum(faults, ({ doubled }) => doubled),
    inverted: sum(faults, ({ inverted }) => inverted),
    inFlight: sum(topics, ({ waiting }) => waiting) + sum(consumers, ({ inFlight, open }) => inFlight + open),
    dead: sum(consumers, ({ dead }) => dead),
    foreign: sum(topics, ({ foreign }) => foreign),
    ahead: sum(topics, ({ ahead }) => ahead),
    unreadable: unreadable.map((one) => ({ ...one })),
    topics: topics.map((one) => ({ ...one, consumers: [...one.consumers] })),
    examples: [...examples],
  };
}
