// The shop's store, which moves between two servers in a chaos run: what a coordinator does, with hosts that are told by their
// parent where it is. `at` is who asks for rows: a module's are read from where they are written.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { ModulePool } from '../../src/banyan/postgres/module-pool.ts';
import { fence } from '../../src/banyan/servers/pair/fence.ts';
import type { Between, Moving, ServerAt } from '../../src/banyan/servers/pair/moving.ts';
import { makePair } from '../../src/banyan/servers/pair/pair.ts';
import { lagGate } from '../../src/banyan/servers/pause/lag.ts';
import { runPause } from '../../src/banyan/servers/pause/pause.ts';
import { recover } from '../../src/banyan/servers/pause/recover.ts';
import type { Crew } from './crew.ts';

const SCHEMA = 'shop';
export const moving: Moving = {
  module: SCHEMA,
  schema: SCHEMA,
  runtime: 'banyan_shop',
  owner: 'banyan_shop_owner',
  pairPassword: 'a secret of the chaos',
};
/** So long hosts are waited for; a pause has 300 ms. */
const HELD_MS = 180;
const AGAIN_MS = 1_000;

export class StoreMover {
  /** Pauses that came to nothing. */
  failed = 0;
  moves = 0;
  readonly #servers: readonly [ServerAt, ServerAt];
  #owner = 0;

  constructor(url: string, otherUrl: string) {
    this.#servers = [
      { name: 'shared', adminUrl: url },
      { name: 'other', adminUrl: otherUrl },
    ];
  }

  /** The administrator's. */
  get url(): string {
    return this.#servers[this.#owner]!.adminUrl;
  }

  /** Both follow each other afterwards. */
  async pair(): Promise<void> {
    const [one, other] = this.#servers;
    const client = new pg.Client({ connectionString: other.adminUrl });
    await client.connect();
    await fence(client, moving).finally(() => client.end());
    await makePair(one, other, moving);
  }

  /** Until it is there: a pause that comes to nothing, or finds a server or a host away, is begun again. */
  async move(crew: Crew, pools: readonly ModulePool[], patienceMs: number): Promise<string> {
    const between: Between = {
      source: this.#servers[this.#owner]!,
      target: this.#servers[1 - this.#owner]!,
      moving,
    };
    const deadline = Date.now() + patienceMs;
    for (;;) {
      const why = await this.#once(between, crew, pools).catch((error: Error) => error.message);
      if (why === undefined) return between.target.name;
      this.failed += 1;
      if (Date.now() > deadline)
        throw new Error(`The shop's store never came to ${between.target.name}: ${why}`);
      await sleep(AGAIN_MS);
    }
  }

  async #once(between: Between, crew: Crew, pools: readonly ModulePool[]): Promise<string | undefined> {
    const late = await lagGate(between, { withinMs: 20_000 });
    if (late !== undefined) return late;
    let committed = false;
    const go = async () => {
      crew.go(this.url);
      for (const pool of pools) {
        const url = urlAs(this.url, pool);
        if (url !== pool.options.connectionString) await pool.switchTo(url, true);
        pool.release();
      }
    };
    try {
      const { moved, why, snapshots } = await runPause(between, {
        hold: async () => {
          const held = Promise.all([crew.hold(), ...pools.map((pool) => pool.hold())]).then(() => []);
          return Promise.race([held, sleep(HELD_MS, ['somebody'])]);
        },
        commit: async () => {
          this.#owner = 1 - this.#owner;
          this.moves += 1;
          committed = true;
        },
        release: go,
      });
      snapshots?.close();
      if (!moved) return why ?? 'it came to nothing';
      return undefined;
    } finally {
      if (!committed) await this.#recover(between);
      await go();
    }
  }

  /** The owner is as before, whatever was left. */
  async #recover({ source: owner, target: other }: Between): Promise<void> {
    for (;;) {
      try {
        if ((await recover({ owner, other, moving })).unfenced === undefined) return;
      } catch {
        // Its server is away.
      }
      await sleep(AGAIN_MS);
    }
  }
}

/** The same role at that server. */
function urlAs(adminUrl: string, { options }: ModulePool): string {
  const [mine, there] = [new URL(options.connectionString!), new URL(adminUrl)];
  [there.username, there.password] = [mine.username, mine.password];
  return there.href;
}
