// The numbers of events under /metrics. What the stores know is the same at every host that has them (take the
// maximum over hosts, not the sum); the totals are this process's own.
import type { MetricSample, Metrics } from '../telemetry/metrics.ts';
import type { EventRuntime } from './runtime.ts';
import type { EventStats } from './stats.ts';

type Measured = Pick<EventRuntime, 'stats' | 'counters' | 'parts'>;

type Gauge = (
  name: string,
  help: string,
  of: (one: EventStats) => MetricSample[],
  labels?: readonly string[],
) => void;

/** One look at the stores serves all gauges of a scrape. */
const FRESH_MS = 1_000;

export function measureEvents(metrics: Metrics, modules: readonly Measured[]): void {
  let looked = 0;
  let look: Promise<EventStats[]> = Promise.resolve([]);
  const stats = () => {
    if (Date.now() - looked > FRESH_MS) {
      looked = Date.now();
      look = lookAt(modules);
    }
    return look;
  };
  const gauge: Gauge = (name, help, of, labels = []) =>
    metrics.gauge(`banyan_events_${name}`, help, ['module', ...labels], async () =>
      (await stats()).flatMap(of),
    );
  const simple = (name: string, help: string, of: (one: EventStats) => number) =>
    gauge(name, help, (one) => [{ labels: { module: one.module }, value: of(one) }]);

  simple('outbox_waiting', 'Events published and not sent', ({ outbox }) => outbox.waiting);
  simple('outbox_oldest_seconds', 'Age of the oldest of them', ({ outbox }) => outbox.oldestSeconds);
  simple(
    'relay_per_second',
    'Events sent a second over the last minute, by all hosts',
    ({ relay }) => relay.perSecond,
  );
  simple('relay_held', '1 while some host sends', ({ relay }) => (relay.holder === null ? 0 : 1));
  simple('dead_letters', 'Deliveries that a person must decide about', ({ deliveries }) => deliveries.dead);
  simple('held_keys', 'Keys that do not go on by themselves', ({ heldKeys }) => heldKeys);
  gauge(
    'parked',
    '1 for a partition that the module does not read, because something in it cannot be read',
    ({ module, parked }) =>
      parked.map(({ topic, partition }) => ({
        labels: { module, topic, partition: String(partition) },
        value: 1,
      })),
    ['topic', 'partition'],
  );
  gauge(
    'refused',
    '1 for a part (relay, consumer) of a module that the log does not let do its work',
    ({ module, refused }) => refused.map(({ part }) => ({ labels: { module, part }, value: 1 })),
    ['part'],
  );
  gauge('log_reachable', '0 while the log does not answer a consumer', ({ module, lag }) =>
    lag?.length === 0 ? [] : [{ labels: { module }, value: lag === null ? 0 : 1 }],
  );
  measureDeliveries(gauge);
  gauge(
    'lag',
    'Events in the log that the module has not taken',
    ({ module, lag }) =>
      (lag ?? []).map(({ topic, events }) => ({ labels: { module, topic }, value: events })),
    ['topic'],
  );
  gauge(
    'lag_seconds',
    'Age of the oldest of them',
    ({ module, lag }) =>
      (lag ?? []).flatMap(({ topic, seconds }) =>
        seconds === null ? [] : [{ labels: { module, topic }, value: seconds }],
      ),
    ['topic'],
  );
  measureTotals(metrics, modules);
}

function measureDeliveries(gauge: Gauge): void {
  gauge(
    'deliveries',
    'Deliveries that are not done, by state',
    ({ module, deliveries }) =>
      Object.entries(deliveries).map(([state, value]) => ({ labels: { module, state }, value })),
    ['state'],
  );
  gauge(
    'oldest_delivery_seconds',
    'Age of the oldest of them, by state; of states in which none is there is no series',
    ({ module, oldestDeliverySeconds }) =>
      Object.entries(oldestDeliverySeconds).map(([state, value]) => ({ labels: { module, state }, value })),
    ['state'],
  );
}

function measureTotals(metrics: Metrics, modules: readonly Measured[]): void {
  for (const [name, help] of Object.entries(totals)) {
    metrics.total(`banyan_events_${name}_total`, help, ['module'], () =>
      modules.map((one) => ({
        labels: { module: one.parts.contract.module },
        value: one.counters()[name as keyof typeof totals],
      })),
    );
  }
}

const totals = {
  sent: 'Events that this process sent to the log',
  handled: 'Effects that this process committed',
  failed: 'Deliveries that failed at their first attempt here, or could not be read',
} as const;

/** A store that does not answer has no numbers; the others have theirs. */
async function lookAt(modules: readonly Measured[]): Promise<EventStats[]> {
  const answers = await Promise.allSettled(modules.map((one) => one.stats()));
  return answers.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
}
