// Hosts that are gone or stand still, and what tells of them.
import { setTimeout as pause } from 'node:timers/promises';
import { type Fault, nothingToMend } from './fault.ts';
import { serviceOf } from './modules.ts';
import { signal } from './stage.ts';

export const monolithKilled: Fault = {
  name: 'monolith',
  part: 'the only monolith; control, seen from a service',
  struck: 'SIGKILL, and started again',
  alarms: [
    { alarm: 'BanyanMonolithGone', labels: { host: 'monolith' }, exit: 1 },
    { alarm: 'BanyanControlUnreachable', labels: { host: 'media-1' }, exit: 1 },
  ],
  alone: true,
  async strike(shop, { query }) {
    await serviceOf(shop, 'media', 1);
    // Of a host that nobody was told of in time nothing is known afterwards.
    while ((await query('up{host="media-1"} == 1')).length === 0) await pause(200);
    signal(shop.monolith.pid!, 'SIGKILL');
    return async () => {
      await shop.start();
      await serviceOf(shop, 'media', 0);
    };
  },
};

export const gatewayKilled: Fault = {
  name: 'gateway',
  part: 'one of several monoliths or gateways, also one that cannot start (`ROOT_KEY`)',
  struck: 'SIGKILL, and started again',
  alarms: [{ alarm: 'BanyanHostMissing', labels: { role: 'gateway' } }],
  needs: ['gateway'],
  async strike({ gateway }) {
    await gateway!.leave();
    return () => gateway!.comeBack();
  },
};

export const tokenRevoked: Fault = {
  name: 'token',
  part: 'what tells Prometheus of hosts',
  struck: 'its token revoked',
  alarms: [{ alarm: 'BanyanDiscoveryFails', labels: {} }],
  async strike({ admin }, { useToken }) {
    const name = `prometheus-${Date.now()}`;
    useToken('revoked');
    return async () => {
      const { token } = await admin('POST', '/admin/operators', { name, scopes: ['read'] });
      useToken(token);
    };
  },
};

export const collectorGone: Fault = {
  name: 'collector',
  part: 'the collector of OTLP',
  struck: 'its port closed',
  alarms: [{ alarm: 'BanyanTelemetryLost', labels: { host: 'monolith', signal: 'traces' } }],
  async strike({ collector }) {
    await collector.leave();
    return () => collector.comeBack();
  },
};

export const databaseFrozen: Fault = {
  name: 'database',
  part: 'PostgreSQL',
  struck: 'SIGSTOP of all of it, then SIGCONT',
  alarms: [
    { alarm: 'BanyanStoreUnreachable', labels: { module: 'orders', host: 'monolith' } },
    { alarm: 'BanyanControlUnreachable', labels: { host: 'monolith' }, exit: 1 },
  ],
  alone: true,
  // Four seconds are what a scrape takes then.
  mostScale: 2,
  async strike({ database, freeze }) {
    const goOn = freeze(database.pid!);
    return async () => goOn();
  },
};

export const databaseKilled: Fault = {
  name: 'database-killed',
  part: 'PostgreSQL, the embedded one',
  struck: 'SIGKILL; it is started again',
  alarms: [{ alarm: 'BanyanPostgresKilled', labels: { host: 'monolith', server: 'shared' } }],
  alone: true,
  async strike({ database }) {
    signal(database.pid!, 'SIGKILL');
    return nothingToMend;
  },
};
