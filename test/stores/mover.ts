// Moves the store of a module of a shop that runs between two servers, step by step, as a coordinator does it and without one:
// for tests of what hosts do meanwhile.

import { libraryTables } from '../../src/banyan/host/library-tables.ts';
import { createRootKey } from '../../src/banyan/identity/root-key.ts';
import { type ControlStore, createControlStore } from '../../src/banyan/placement/store.ts';
import {
  hold,
  notHeld,
  notOn,
  own,
  pairWith,
  readPlaces,
  release,
} from '../../src/banyan/placement/store-places.ts';
import { provision } from '../../src/banyan/postgres/provision.ts';
import { rolePassword, roleUrl, runtimeRole } from '../../src/banyan/postgres/roles.ts';
import { addressOf } from '../../src/banyan/postgres/server-address.ts';
import { silent } from '../../src/banyan/postgres/testing.ts';
import type { Moving, ServerAt } from '../../src/banyan/servers/pair/moving.ts';
import { dropPair, makePair } from '../../src/banyan/servers/pair/pair.ts';
import { runPause } from '../../src/banyan/servers/pause/pause.ts';
import { shopApp } from '../../src/shop.ts';
import type { Shop } from '../shop.ts';

const LOOK_MS = 5;

export class Mover {
  readonly control: ControlStore;
  readonly moving: Moving;
  readonly #secret: string;
  readonly #servers: Record<string, ServerAt>;

  /** @param urls of servers besides the shared one, by name. */
  constructor(shop: Shop, module: string, urls: Readonly<Record<string, string>>) {
    const { databaseUrl, env } = shop.started;
    this.#secret = createRootKey(env.ROOT_KEY!).roleSecret;
    this.#servers = Object.fromEntries(
      Object.entries({ shared: databaseUrl, ...urls }).map(([name, adminUrl]) => [name, { name, adminUrl }]),
    );
    this.control = createControlStore({
      url: roleUrl(databaseUrl, this.#secret, 'banyan_control'),
      log: silent,
    });
    const runtime = runtimeRole(module);
    const pairPassword = rolePassword(this.#secret, `${runtime}_pair`);
    this.moving = { module, schema: module, runtime, owner: `${runtime}_owner`, pairPassword };
  }

  at(name: string): ServerAt {
    return this.#servers[name]!;
  }

  /** The URL of the module's role there. */
  urlAt(name: string): string {
    return roleUrl(this.at(name).adminUrl, this.#secret, this.moving.runtime);
  }

  async place() {
    return (await readPlaces(this.control.sql)).find(({ module }) => module === this.moving.module);
  }

  /** Both follow each other afterwards. */
  async pair(source: string, target: string): Promise<void> {
    const { module } = this.moving;
    await provision({
      ...{
        adminUrl: this.at(target).adminUrl,
        secret: this.#secret,
        modules: [module],
        fenced: [module],
        schemas: [],
      },
      ...{ prisma: shopApp.prisma, moduleDdl: libraryTables, log: silent },
    });
    await makePair(this.at(source), this.at(target), this.moving);
    await this.control.change((tx) => pairWith(tx, module, target));
  }

  /** What the pause took, by part. */
  async move(source: string, target: string, budgetMs = 5_000): Promise<Readonly<Record<string, number>>> {
    const { control, moving } = this;
    const { module } = moving;
    const epoch = (await this.place())!.epoch;
    const address = target === 'shared' ? null : addressOf(this.at(target).adminUrl);
    const paused = await runPause(
      { source: this.at(source), target: this.at(target), moving },
      {
        hold: async () => {
          await control.change((tx) => hold(tx, module, address));
          return this.#nobody(() => notHeld(control.sql, module, epoch));
        },
        commit: async () => {
          await control.change((tx) =>
            own(tx, module, { server: target, address, pairedWith: source }, { epoch }),
          );
        },
        release: async () => {
          await control.change((tx) => release(tx, module));
        },
      },
      { budgetMs },
    );
    paused.snapshots?.close();
    if (!paused.moved) throw new Error(paused.why);
    const left = await this.#nobody(() => notOn(control.sql, module, epoch + 1));
    if (left.length > 0) throw new Error(`${left} did not follow`);
    return paused.numbers;
  }

  async close(source: string, target: string): Promise<void> {
    await dropPair(this.at(source), this.at(target), this.moving);
    await this.control.close();
  }

  async #nobody(look: () => Promise<string[]>): Promise<string[]> {
    const deadline = Date.now() + 5_000;
    for (;;) {
      const left = await look();
      if (left.length === 0 || Date.now() > deadline) return left;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }
}
