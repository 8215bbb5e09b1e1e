// The database servers that this monolith can reach as their administrator, by name: `shared`, `own` (an embedded one of each
// module, under DATA_DIR/stores/<module>), and those of STORE_<NAME>_URL. Guarantees: an embedded one is started by the monolith
// that holds the shared embedded one and by nobody else, is looked after while it runs, and ends after whoever uses it.
// It must not know where a store is.
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { OWN, SHARED } from '../placement/store-places.ts';
import { openEmbedded } from '../postgres/embedded.ts';
import type { EmbeddedServer } from '../postgres/embedded-watch.ts';
import { rolePassword, runtimeRole } from '../postgres/roles.ts';
import { addressOf, type ServerAddress } from '../postgres/server-address.ts';
import type { Moving, ServerAt } from '../servers/pair/moving.ts';

export interface StoreServersOptions {
  readonly settings: Pick<Settings, 'dataDir' | 'storeUrls' | 'role'>;
  readonly sharedUrl: string;
  /** This host holds the shared embedded server. */
  readonly holdsShared: boolean;
  /** Of the role passwords: the same on every server. */
  readonly secret: string;
  readonly log: Logger;
}

const REST_MS = 10_000;

export class StoreServers {
  readonly #of: StoreServersOptions;
  readonly #embedded = new Map<string, Promise<EmbeddedServer>>();
  readonly #running = new Map<string, EmbeddedServer>();
  /** Those that end, since nobody needs them. */
  readonly #resting = new Map<string, Promise<void>>();

  constructor(options: StoreServersOptions) {
    this.#of = options;
  }

  /** Why this host cannot reach it as an administrator, and what helps; undefined: it can. */
  refusal(module: string, name: string): string | undefined {
    const { settings, holdsShared } = this.#of;
    if (settings.role !== 'monolith')
      return 'This host is no monolith, and changes nothing on a database server.';
    if (name === SHARED || settings.storeUrls[name] !== undefined) return undefined;
    if (name !== OWN)
      return `No server ${name} is known here. Set ${variableOf(name)} on every monolith, and start them again.`;
    if (holdsShared) return undefined;
    return (
      `A server of its own is an embedded one, started by the monolith that keeps the embedded database of ${module} ` +
      'beside it, and this one has its database by DATABASE_URL. Name a server by STORE_<NAME>_URL, and move it there.'
    );
  }

  /** It is an embedded one, on this machine. */
  isHere(name: string): boolean {
    return name === OWN || (name === SHARED && this.#of.holdsShared);
  }

  /** Starts the embedded one where it does not run. Rejects where `refusal` says why. */
  async serverAt(module: string, name: string): Promise<ServerAt> {
    const refusal = this.refusal(module, name);
    if (refusal !== undefined) throw new Error(refusal);
    if (name === SHARED) return { name, adminUrl: this.#of.sharedUrl };
    const named = this.#of.settings.storeUrls[name];
    return { name, adminUrl: named ?? (await this.#own(module)).url };
  }

  /** What hosts are told of it; null: each has it by its own DATABASE_URL. */
  async addressAt(module: string, name: string): Promise<ServerAddress | null> {
    return name === SHARED ? null : addressOf((await this.serverAt(module, name)).adminUrl);
  }

  moving(module: string): Moving {
    const runtime = runtimeRole(module);
    const pairPassword = rolePassword(this.#of.secret, `${runtime}_pair`);
    return { module, schema: module, runtime, owner: `${runtime}_owner`, pairPassword };
  }

  /** After everything that uses them. */
  async close(withinMs: number): Promise<void> {
    await Promise.allSettled(this.#resting.values());
    const open = await Promise.allSettled(this.#embedded.values());
    await Promise.all(open.map((one) => one.status === 'fulfilled' && one.value.stop(withinMs)));
  }

  /** How often each embedded one was killed since it was started here, and started again: by module. */
  restarts(): readonly (readonly [module: string, restarts: number])[] {
    return [...this.#running].map(([module, server]) => [module, server.restarts]);
  }

  /** Whether there is one of its own, running or not. */
  isMade(module: string): boolean {
    return existsSync(this.#folder(module));
  }

  /** Ends an embedded one that no store is on. @param remove and leaves nothing of it. */
  async rest(module: string, remove: boolean): Promise<void> {
    const known = this.#embedded.get(module);
    if (!known) return;
    this.#embedded.delete(module);
    const ended = (async () => {
      await (await known).stop(REST_MS);
      if (remove) await rm(this.#folder(module), { recursive: true, force: true });
    })();
    this.#resting.set(module, ended);
    await ended.finally(() => this.#resting.delete(module));
  }

  #folder(module: string): string {
    return join(this.#of.settings.dataDir, 'stores', module);
  }

  #own(module: string): Promise<EmbeddedServer> {
    const known = this.#embedded.get(module);
    if (known) return known;
    const opening = this.#open(module);
    this.#embedded.set(module, opening);
    // Whoever asks next tries again.
    opening.catch(() => this.#embedded.delete(module));
    return opening;
  }

  async #open(module: string): Promise<EmbeddedServer> {
    await this.#resting.get(module)?.catch(() => {});
    const log = this.#of.log.child({ store: module });
    const opened = await openEmbedded({ dataDir: this.#folder(module), log });
    this.#running.set(module, opened);
    return opened;
  }
}

export function variableOf(name: string): string {
  return `STORE_${name.toUpperCase().replaceAll('-', '_')}_URL`;
}
