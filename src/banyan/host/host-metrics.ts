// What metrics say of every host: what it is, whether it is ready, and whether what it stands on answers. Guarantee: these are
// always there, so that a rule can be made of a 0; what a store that is away cannot tell is left out elsewhere.
import { performance } from 'node:perf_hooks';
import type { Settings } from '../config/settings.ts';
import type { Follower } from '../placement/follower.ts';
import type { MetricSample, Metrics } from '../telemetry/metrics.ts';
import type { Database } from './database.ts';
import type { Health, HealthState } from './health.ts';

interface Measured {
  readonly settings: Pick<Settings, 'app' | 'role'>;
  readonly metrics: Metrics;
  readonly follower: Follower;
  readonly database: Pick<Database, 'restarts'>;
  readonly health: Health;
  readonly state: HealthState;
}

export function measureHost({ settings, metrics, follower, database, health, state }: Measured): void {
  const { app, role } = settings;
  const flag = (name: string, help: string, is: () => boolean | Promise<boolean>) =>
    metrics.gauge(name, help, [], async () => one((await is()) ? 1 : 0));
  const build = { version: app.version, node: process.versions.node, role };
  metrics.gauge('banyan_build_info', '1; what runs here', Object.keys(build), () => one(1, build));
  flag('banyan_host_ready', '1 while /health/ready says so', () => health.ready());
  flag('banyan_host_draining', '1 from the moment that it is told to stop', () => state.draining);
  flag(
    'banyan_control_reachable',
    '0 while the control store, or from a service the monoliths, does not answer',
    () => follower.connected,
  );
  metrics.total(
    'banyan_event_loop_active_seconds_total',
    'How long the event loop has worked: its rate is the utilisation of the one core that it can use',
    [],
    () => one(performance.eventLoopUtilization().active / 1_000),
  );
  metrics.gauge(
    'banyan_placement_version',
    'The version of the placements that this host decides by',
    [],
    () => one(follower.current.version),
  );
  metrics.gauge(
    'banyan_store_reachable',
    '0 while the store of a module that runs here does not answer this host',
    ['module'],
    async () =>
      Object.entries(await health.stores()).map(([module, found]) => ({
        labels: { module },
        value: found === 'ok' ? 1 : 0,
      })),
  );
  metrics.total(
    'banyan_embedded_postgres_restarts_total',
    'How often an embedded PostgreSQL was killed, and started again',
    ['server'],
    () => database.restarts().map(([server, value]) => ({ labels: { server }, value })),
  );
}

const one = (value: number, labels: Readonly<Record<string, string>> = {}): MetricSample[] => [
  { labels, value },
];
