// A network on one machine: hosts are network namespaces of Linux on one bridge, each with an address of its own and the names
// of all. Links are cut, made slow, or lose what goes one way; an address moves and its name with it. Guarantees: what is lost
// is lost without a word, as behind a router that is gone (no reset, no "unreachable"); nothing of it is left after `remove`.
// It needs root, `ip`, `nft` and `tc`. It must not know what runs on its hosts.
import { execFile } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Of every name: `orders-1.banyan.test`. */
const DOMAIN = 'banyan.test';

/** What takes a fault away again; answers how many packets were lost by it, where it loses any. */
export type Mend = () => Promise<number | undefined>;

export interface NetHost {
  readonly name: string;
  /** What others reach it by; its address may move. */
  readonly domain: string;
  readonly address: string;
  /** The words before a command that runs on it. The process that they begin becomes the command. */
  readonly words: readonly string[];
}

/** Undefined where a network can be made here, else what is missing and what to do, in one line. */
export async function missingForNetwork(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'Hosts with addresses of their own need Linux: run it there.';
  if (process.getuid?.() !== 0) return 'Network namespaces need root: run it with sudo.';
  for (const [command, flag, from] of [
    ['ip', '-V', 'iproute2'],
    ['tc', '-V', 'iproute2'],
    ['nft', '--version', 'nftables'],
    ['setpriv', '--version', 'util-linux'],
  ] as const)
    if (!(await works(command, [flag]))) return `${command} is missing: apt-get install -y ${from}`;
  if (!(await works('ip', ['netns', 'add', 'banyan-try'])))
    return 'This machine makes no network namespace (a container?): run it where `ip netns add` works.';
  await run('ip', ['netns', 'del', 'banyan-try']);
  return undefined;
}

const works = (command: string, words: readonly string[]): Promise<boolean> =>
  run(command, words).then(
    () => true,
    () => false,
  );

export class Network {
  /** The address of this process on the bridge: customers come from here. */
  readonly gateway: string;
  readonly cidr: string;
  readonly #id: string;
  readonly #subnet: string;
  readonly #hosts = new Map<string, Host>();
  /** Names that others ask for, with the address that each says now. */
  readonly #names = new Map<string, string>();

  private constructor(id: string, subnet: string) {
    this.#id = id;
    this.#subnet = subnet;
    this.gateway = `${subnet}.1`;
    this.cidr = `${subnet}.0/24`;
  }

  static async open(): Promise<Network> {
    const { stdout } = await run('ip', ['-o', '-4', 'addr']);
    const free = () => `10.${randomInt(200, 250)}.${randomInt(0, 256)}`;
    let subnet = free();
    while (stdout.includes(` ${subnet}.`)) subnet = free();
    const network = new Network(randomInt(0x1000, 0x10000).toString(16), subnet);
    const bridge = network.#bridge;
    await ip('link', 'add', bridge, 'type', 'bridge');
    await ip('addr', 'add', `${network.gateway}/24`, 'dev', bridge);
    await ip('link', 'set', bridge, 'up');
    return network;
  }

  get #bridge(): string {
    return `bny${this.#id}`;
  }

  domainOf(name: string): string {
    return this.#of(name).domain;
  }

  /** A new host, reached by everybody under its name from now on. */
  async host(name: string): Promise<NetHost> {
    const number = this.#hosts.size + 10;
    const space = `bny${this.#id}-${name}`;
    const link = `bny${this.#id}-${number}`;
    const host = new Host(name, `${name}.${DOMAIN}`, space, link, `${this.#subnet}.${number}`);
    this.#hosts.set(name, host);
    await ip('netns', 'add', space);
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    await ip('link', 'set', link, 'master', this.#bridge, 'up');
    await ip('-n', space, 'link', 'set', 'lo', 'up');
    await ip('-n', space, 'addr', 'add', `${host.address}/24`, 'dev', 'eth0');
    await ip('-n', space, 'link', 'set', 'eth0', 'up');
    this.#names.set(host.domain, host.address);
    this.#tellNames();
    return host;
  }

  /** All of its links: nothing comes in and nothing goes out, until it is mended. */
  cut(name: string): Promise<Mend> {
    const all = 'iif lo accept; counter drop;';
    return this.#filter(name, { in: all, out: all.replace('iif', 'oif') });
  }

  /** What one sends to the other is lost, and nothing else: the other's own packets arrive. */
  lose(from: string, to: string): Promise<Mend> {
    return this.#filter(to, { in: `ip saddr ${this.#of(from).address} counter drop;` });
  }

  /** Nothing passes between the two, either way. */
  async part(one: string, other: string): Promise<Mend> {
    const mends = [await this.lose(one, other), await this.lose(other, one)];
    return async () => {
      let lost = 0;
      for (const mend of mends) lost += (await mend()) ?? 0;
      return lost;
    };
  }

  /** Both ways as much a second and no more; what comes faster waits, at most for so long. */
  async slow(name: string, { kbit, waitMs }: { kbit: number; waitMs: number }): Promise<Mend> {
    const { link, space } = this.#of(name);
    const shape = ['root', 'tbf', 'rate', `${kbit}kbit`, 'burst', '2kb', 'latency', `${waitMs}ms`];
    const ends = [
      ['dev', link],
      ['-n', space, 'dev', 'eth0'],
    ] as const;
    // `tc -n` takes the namespace before its object.
    const tc = (verb: string, [first, ...rest]: readonly string[], words: readonly string[]) =>
      first === '-n'
        ? run('tc', ['-n', rest[0]!, 'qdisc', verb, ...rest.slice(1), ...words])
        : run('tc', ['qdisc', verb, first!, ...rest, ...words]);
    for (const end of ends) await tc('add', end, shape);
    return async () => {
      for (const end of ends) await tc('del', end, ['root']);
      return undefined;
    };
  }

  /** It has another address from now on, and its name says so; nobody answers at the one before. */
  async move(name: string): Promise<void> {
    const host = this.#of(name);
    const next = `${this.#subnet}.${Number(host.address.split('.').at(-1)) + 100}`;
    // In this order: with the first address of a network go all others.
    await ip('-n', host.space, 'addr', 'del', `${host.address}/24`, 'dev', 'eth0');
    await ip('-n', host.space, 'addr', 'add', `${next}/24`, 'dev', 'eth0');
    host.address = next;
    this.#names.set(host.domain, next);
    this.#tellNames();
  }

  /** Whoever runs on its hosts has ended. */
  async remove(): Promise<void> {
    for (const { space } of this.#hosts.values()) {
      await run('ip', ['netns', 'del', space]).catch(() => {});
      rmSync(`/etc/netns/${space}`, { recursive: true, force: true });
    }
    await run('ip', ['link', 'del', this.#bridge]).catch(() => {});
  }

  #of(name: string): Host {
    const host = this.#hosts.get(name);
    if (!host) throw new Error(`The network has no host ${name}`);
    return host;
  }

  /** Written in place: a process that runs has the file itself before its eyes (`ip netns exec` mounts it). */
  #tellNames(): void {
    const lines = [...this.#names].map(([name, address]) => `${address} ${name}`);
    const text = `${['127.0.0.1 localhost', ...lines].join('\n')}\n`;
    for (const { space } of this.#hosts.values()) {
      mkdirSync(`/etc/netns/${space}`, { recursive: true });
      writeFileSync(`/etc/netns/${space}/hosts`, text);
    }
  }

  #tables = 0;

  async #filter(name: string, chains: { readonly in?: string; readonly out?: string }): Promise<Mend> {
    this.#tables += 1;
    const [space, table] = [this.#of(name).space, `fault${this.#tables}`];
    const chain = (hook: string, rules: string) =>
      `chain ${hook} { type filter hook ${hook} priority 0; ${rules} }`;
    const text = [
      ...(chains.in ? [chain('input', chains.in)] : []),
      ...(chains.out ? [chain('output', chains.out)] : []),
    ];
    const nft = (...words: string[]) => ip('netns', 'exec', space, 'nft', ...words);
    await nft(`table inet ${table} {\n${text.join('\n')}\n}`);
    return async () => {
      const said = await nft('list', 'table', 'inet', table);
      await nft('delete', 'table', 'inet', table);
      return [...said.matchAll(/counter packets (\d+)/g)].reduce((sum, [, n]) => sum + Number(n), 0);
    };
  }
}

class Host implements NetHost {
  readonly name: string;
  readonly domain: string;
  readonly space: string;
  readonly link: string;
  address: string;

  constructor(name: string, domain: string, space: string, link: string, address: string) {
    this.name = name;
    this.domain = domain;
    this.space = space;
    this.link = link;
    this.address = address;
  }

  get words(): string[] {
    return ['ip', 'netns', 'exec', this.space];
  }
}

async function ip(...words: string[]): Promise<string> {
  const { stdout } = await run('ip', words).catch((error: Error & { stderr?: string }) => {
    throw new Error(`ip ${words.join(' ')}: ${error.stderr?.trim() || error.message}`);
  });
  return stdout;
}
