// The faults: whom each one strikes, and by what it is known that the system has recovered from it.
// A strike resolves when its cause is over (the frozen wakes, the broker is started), recovered or not.
import { setTimeout as pause } from 'node:timers/promises';
import { openLog } from '../../src/banyan/events/open-log.ts';
import { quiet } from '../../src/banyan/events/testing/shop.ts';
import { STABLE_MS } from '../../src/banyan/jobs/background.ts';
import type { LogRecord } from '../../src/banyan/log/port.ts';
import type { ModulePool } from '../../src/banyan/postgres/module-pool.ts';
import type { Crew } from './crew.ts';
import type { Ground } from './ground.ts';
import type { Random } from './random.ts';

export interface Scene {
  readonly ground: Ground;
  readonly crew: Crew;
  readonly random: Random;
  /** Of this process: they follow the shop's store like those of hosts. */
  readonly pools: readonly ModulePool[];
}

export interface Fault {
  readonly name: string;
  /** How long a strike takes with its recovery, about, in seconds: what the rate of sales is made from. */
  readonly takes: number;
  /** Sent: the probes have left the outbox. Effect: they took effect at the consumer. */
  readonly recoveredBy: 'sent' | 'effect';
  /** Resolves at the moment of the strike with whom it struck; `over` when the cause is gone. */
  readonly strike: (scene: Scene) => Promise<{ struck: string; over?: Promise<unknown> }>;
}

/** Longer than the 6 s after which a member of a group, and the 4 s after which a relay, counts as gone. */
const FROZEN_MS = 7_500;
/** As long as anything is waited for. */
const MOVE_MS = 240_000;
const DISTURBED_MS = 2_000;
const REPEATED = 300;

export const MOVE = "move of the shop's store to another server";

export function faults(kind: Ground['kind']): readonly Fault[] {
  return [
    {
      name: "SIGKILL of the relay's host",
      takes: 2,
      recoveredBy: 'sent',
      async strike({ crew, ground }) {
        const struck = (await leader(ground, 'shop')) ?? crew.hostsOf('shop')[0]!;
        crew.signal(struck, 'SIGKILL');
        return { struck };
      },
    },
    {
      name: "SIGKILL of a consumer's host",
      takes: kind === 'kafka' ? 7 : 2,
      recoveredBy: 'effect',
      async strike({ crew, random }) {
        const struck = random.pick(crew.hostsOf('till'));
        crew.signal(struck, 'SIGKILL');
        return { struck };
      },
    },
    {
      name: kind === 'kafka' ? 'SIGKILL of the broker' : "SIGKILL of the log's PostgreSQL (broker: n/a)",
      takes: kind === 'kafka' ? 6 : 3,
      recoveredBy: 'effect',
      strike: async ({ ground }) => ({
        struck: kind === 'kafka' ? 'broker' : "log's postmaster",
        over: ground.strikeLog(),
      }),
    },
    {
      name: 'immediate restart of PostgreSQL',
      takes: 4,
      recoveredBy: 'effect',
      async strike({ ground }) {
        process.kill(ground.database.pid, 'SIGQUIT');
        return { struck: 'postmaster' };
      },
    },
    {
      name: `SIGSTOP of a host for ${FROZEN_MS / 1000} s`,
      takes: 9,
      recoveredBy: 'effect',
      async strike({ crew, ground, random }) {
        const relay = random.next() < 0.5 ? await leader(ground, random.pick(['shop', 'till'])) : undefined;
        const struck = relay ?? random.pick(crew.hostsOf('till'));
        crew.signal(struck, 'SIGSTOP');
        return { struck, over: pause(FROZEN_MS).then(() => crew.signal(struck, 'SIGCONT')) };
      },
    },
    {
      name: 'duplicated and delayed delivery',
      takes: 3,
      recoveredBy: 'effect',
      async strike({ crew, ground, random }) {
        crew.disturb(DISTURBED_MS);
        return { struck: 'all', over: Promise.all([repeat(ground, random), pause(DISTURBED_MS)]) };
      },
    },
    {
      name: 'flip of a random module',
      takes: 5,
      recoveredBy: 'effect',
      async strike({ crew, random }) {
        const module = random.pick(['shop', 'till'] as const);
        const to = crew.flip(module);
        // Background work follows once the placement has been stable; hosts learn of it within half a second.
        await pause(STABLE_MS);
        return { struck: `${module} to ${to}`, over: pause(600) };
      },
    },
    {
      name: MOVE,
      takes: 3,
      recoveredBy: 'effect',
      async strike({ ground, crew, random, pools }) {
        // Hosts may die of it, held or on their way.
        const victim = random.next() < 0.5 ? random.pick(crew.all) : undefined;
        const over = ground.mover!.move(crew, pools, MOVE_MS);
        const killed = victim && pause(random.between(0, 600)).then(() => crew.signal(victim, 'SIGKILL'));
        return { struck: victim ? `and ${victim} killed` : 'shop', over: Promise.all([over, killed]) };
      },
    },
  ];
}

async function leader(ground: Ground, module: 'shop' | 'till'): Promise<string | undefined> {
  const { rows } = await ground
    .at(module)
    .query<{ holder: string | null }>(`SELECT holder FROM ${module}.event_lease WHERE name = 'relay'`);
  return rows[0]?.holder ?? undefined;
}

/** Puts events of any age on the wire again, as a relay that slept for minutes would. */
async function repeat(ground: Ground, random: Random): Promise<void> {
  const log = await openLog({ ...ground, hostId: 'chaos', log: quiet });
  try {
    const topic = random.pick(['shop.events', 'till.events']);
    const old: LogRecord[] = [];
    for await (const record of log.read(topic)) {
      // A sample of all there is, each record as likely as the next.
      if (old.length < REPEATED) old.push(record);
      else if (random.next() < 0.1) old[random.below(REPEATED)] = record;
    }
    await log.append(
      topic,
      old.map(({ key, headers, value }) => ({ key, headers, value })),
    );
  } finally {
    await log.close();
  }
}
