// The processes of a chaos run: two hosts for each side of the flag. One that dies is started again under its
// id, as a supervisor would. `close` leaves none behind, frozen ones included.
import { join } from 'node:path';
import type { Placement, Side } from '../../src/banyan/routing/snapshot.ts';
import { type Launched, launch } from '../../stage/launch.ts';
import type { HostConfig, Order, Placed, Report } from './host.ts';
import type { Random } from './random.ts';

type Module = keyof Placed;

const sides: Readonly<Record<string, Side>> = {
  'host-1': 'in-process',
  'host-2': 'in-process',
  'host-3': 'service',
  'host-4': 'service',
};

export type CrewConfig = Pick<HostConfig, 'databaseUrl' | 'logUrl' | 'brokerUrl' | 'keys' | 'verbose'>;

interface Member {
  host: Launched;
  ready: Promise<void>;
  /** Sales ordered and not yet reported. */
  open: number;
  /** Settled when it is, or is gone. */
  held: PromiseWithResolvers<void>;
}

export class Crew {
  readonly #config: CrewConfig;
  readonly #random: Random;
  readonly #members = new Map<string, Member>();
  #placed: Placed;
  #shop: HostConfig['shop'];
  #closing = false;

  constructor(config: CrewConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#shop = { url: config.databaseUrl, held: false };
    const changedAt = new Date().toISOString();
    this.#placed = {
      shop: { placement: 'in-process', changedAt },
      till: { placement: 'service', changedAt },
    };
  }

  async start(): Promise<void> {
    for (const id of Object.keys(sides)) this.#spawn(id);
    await this.ready();
  }

  async ready(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.ready));
  }

  /** Every host, wherever modules are. */
  get all(): string[] {
    return Object.keys(sides);
  }

  get open(): number {
    return [...this.#members.values()].reduce((sum, member) => sum + member.open, 0);
  }

  /** The hosts that do a module's background work now. */
  hostsOf(module: Module): string[] {
    return Object.keys(sides).filter((id) => sides[id] === this.#placed[module].placement);
  }

  sell(count: number): void {
    const member = this.#random.pick([...this.#members.values()]);
    member.open += count;
    send(member, { kind: 'sell', count });
  }

  /** Resolves when nothing of the shop's store is under way in any host; whoever dies is followed by one that is held. */
  async hold(): Promise<void> {
    this.#shop = { ...this.#shop, held: true };
    const all = [...this.#members.values()].map((member) => {
      send(member, { kind: 'hold' });
      return member.held.promise;
    });
    await Promise.all(all);
  }

  /** Everybody goes on, where the shop's store is. @param url the administrator's. */
  go(url: string): void {
    this.#shop = { url, held: false };
    for (const member of this.#members.values()) {
      member.held = Promise.withResolvers();
      send(member, { kind: 'go', url });
    }
  }

  disturb(ms: number): void {
    for (const member of this.#members.values()) send(member, { kind: 'disturb', ms });
  }

  /** Answers where the module goes. */
  flip(module: Module): Placement {
    const placement = this.#placed[module].placement === 'service' ? 'in-process' : 'service';
    this.#placed = { ...this.#placed, [module]: { placement, changedAt: new Date().toISOString() } };
    for (const member of this.#members.values()) send(member, { kind: 'place', placed: this.#placed });
    return placement;
  }

  signal(id: string, name: NodeJS.Signals): void {
    this.#members.get(id)?.host.child.kill(name);
  }

  async close(): Promise<void> {
    this.#closing = true;
    await Promise.all([...this.#members.values()].map(({ host }) => host.kill()));
  }

  #spawn(id: string): void {
    const config: HostConfig = {
      ...this.#config,
      id,
      mine: sides[id]!,
      seed: this.#random.below(2 ** 31),
      placed: this.#placed,
      shop: this.#shop,
    };
    const host = launch({
      entry: join(import.meta.dirname, 'host.ts'),
      args: [JSON.stringify(config)],
      output: 'errors',
      ipc: true,
    });
    let isReady = () => {};
    const member: Member = {
      host,
      open: 0,
      held: Promise.withResolvers(),
      ready: new Promise((resolve) => {
        isReady = resolve;
      }),
    };
    host.child.on('message', (report: Report) => {
      if (report.kind === 'ready') isReady();
      else if (report.kind === 'held') member.held.resolve();
      else member.open -= report.granted;
    });
    host.child.on('error', () => {});
    host.child.once('exit', () => {
      isReady();
      member.held.resolve();
      if (!this.#closing) this.#spawn(id);
    });
    this.#members.set(id, member);
  }
}

function send({ host: { child } }: Member, order: Order): void {
  if (child.connected) child.send(order, () => {});
}
