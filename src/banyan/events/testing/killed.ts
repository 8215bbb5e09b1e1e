// The test of every step boundary, for any log: a host is killed at a named step of its relay or its inbox,
// another one goes on, and every event takes effect once, in order, as does what its listener published.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { EventLog } from '../../log/port.ts';
import type { InboxStep } from '../effect.ts';
import type { RelayStep } from '../relay.ts';
import { byKey, openStand } from './stand.ts';
import { until } from './until.ts';

export const steps: readonly (RelayStep | InboxStep)[] = [
  'before-claim',
  'after-claim',
  'after-produce',
  'after-finish',
  'before-effect',
  'after-take',
  'after-effect',
  'after-commit',
  'before-offset',
  'after-offset',
];

const keys = ['a', 'b', 'c'];
const ROUNDS = 5;

export interface LogOfVictim {
  readonly makeLog?: (host: string) => EventLog;
  /** What the victim is told after its step: the broker's URL and the prefix of its groups. */
  readonly args?: readonly string[];
  /** A dead member of a group may keep its partitions so long, in milliseconds. */
  readonly recoveryMs: number;
}

export async function killedAt(
  step: string,
  serverUrl: string,
  { makeLog, args = [], recoveryMs }: LogOfVictim,
) {
  const stand = await openStand(serverUrl, makeLog);
  try {
    const host = stand.host({ hostId: 'heir' });
    for (let n = 1; n <= ROUNDS; n += 1) await host.sell(...keys.map((orderId) => ({ orderId, n })));
    const victim = spawn(
      process.execPath,
      [join(import.meta.dirname, 'victim.ts'), stand.url, step, ...args],
      { stdio: 'inherit' },
    );
    const [, signal] = await once(victim, 'exit');
    expect(signal).toBe('SIGKILL');

    const began = Date.now();
    await host.start();
    const total = keys.length * ROUNDS;
    await until('every event has its effect', async () => (await stand.effects()).length >= total, 30_000);
    const recovery = Date.now() - began;
    await until('every answer is sent', async () => {
      const [row] = await stand.query<{ n: number }>('SELECT count(*)::int AS n FROM till.event_sent');
      return row!.n >= total;
    });
    const expected = Array.from({ length: ROUNDS }, (_, n) => n + 1);
    expect(byKey(await stand.effects())).toEqual(Object.fromEntries(keys.map((key) => [key, expected])));
    const sequences = await stand.query<{ key: string; sequences: number[] }>(
      'SELECT key, array_agg(sequence::int ORDER BY sequence) AS sequences FROM till.event_sent GROUP BY key ORDER BY key',
    );
    expect(sequences).toEqual(keys.map((key) => ({ key, sequences: expected })));
    expect(recovery, 'what the dead one had is free in time').toBeLessThan(recoveryMs);
  } finally {
    await stand.close();
  }
}
