// A real Kafka broker on this machine: KRaft, one node, on loopback, its data in a folder of its own. For
// `npm run kafka`, the tests and the chaos run. Needs Java 17 or newer, and Maven once per version to fetch the
// jars (92 of them, 54 MB) into the cache folder.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createClient } from '../../log/kafka/client.ts';
import { freePort } from '../../postgres/free-port.ts';
import { ADMIN, type Guard, makeGuard } from './guarded.ts';

const run = promisify(execFile);

export const KAFKA_VERSION = '4.1.0';

const LOOPBACK = '127.0.0.1';

export interface BrokerOptions {
  readonly version?: string;
  /** Used when it is free, else a free one. Default: a free one. */
  readonly port?: number;
  /** Where jars are kept, for example node_modules/.cache/kafka. */
  readonly cacheDir: string;
  readonly say?: (line: string) => void;
  /** For a broker that is killed and started again and again: ready sooner, and slower under load. */
  readonly hasty?: boolean;
  /** Besides `admin`, those that a broker with users knows (guarded.ts); undefined: everybody may do everything. */
  readonly users?: readonly string[];
  /** What it listens on, and tells clients to come to. Default: loopback. Without users. */
  readonly address?: string;
  /** The words before `java`: another network namespace. What they begin becomes Java. */
  readonly by?: readonly string[];
  /** It knows its users and lets each do everything. */
  readonly lenient?: boolean;
}

export interface Broker {
  /** Of `admin`, where it has users. */
  readonly url: string;
  readonly guard: Guard | undefined;
  readonly pid: number | undefined;
  /** The folder of its segments, `<topic>-<partition>/<first offset>.log`, and of its jars. */
  readonly data: string;
  readonly libs: string;
  /** Ends it at once, as a crash would; `start` goes on with the same data and port. */
  kill(): Promise<void>;
  start(): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Resolves when the process that runs now has ended, with its code or signal. */
  gone(): Promise<string>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Undefined when a broker can be started here, else the line that says what is missing. */
export async function missingForBroker(
  cacheDir: string,
  version = KAFKA_VERSION,
): Promise<string | undefined> {
  const java = await run('java', ['-version']).catch(() => undefined);
  const major = Number(/version "(\d+)/.exec(java?.stderr ?? '')?.[1] ?? 0);
  if (major < 17) return 'Kafka needs Java 17 or newer on the PATH';
  const cached = await access(join(cacheDir, version, 'complete')).then(
    () => true,
    () => false,
  );
  if (cached) return undefined;
  const maven = await run('mvn', ['-version']).catch(() => undefined);
  return maven ? undefined : `Kafka ${version} is fetched with Maven (mvn), which is not on the PATH`;
}

export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { version = KAFKA_VERSION, cacheDir, say = () => {}, address = LOOPBACK, by = [] } = options;
  const missing = await missingForBroker(cacheDir, version);
  if (missing) throw new Error(missing);
  const libs = await fetchJars(cacheDir, version, say);
  const folder = await mkdtemp(join(tmpdir(), 'banyan-kafka-'));
  try {
    const port = await freePort(options.port).catch(() => freePort());
    const config = join(folder, 'server.properties');
    const controllerPort = await freePort();
    const guard = options.users && (await makeGuard(folder, port, controllerPort, options.users));
    await writeFile(config, properties(folder, [address, port], controllerPort, guardedBy(options, guard)));
    const classpath = `${libs}/*`;
    const id = randomBytes(16);
    // The first character is no dash then: Kafka's tool takes an id that begins with one for an option, one time in 64.
    id[0]! &= 0x7f;
    const clusterId = id.toString('base64url');
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', config];
    await run('java', ['-cp', classpath, ...format, ...(guard?.formatting ?? [])]);
    const url = guard?.urlOf(ADMIN) ?? `kafka://${address}:${port}`;
    const broker = new Process({ classpath, config, folder, url, guard, by, hasty: options.hasty ?? false });
    await broker.start().catch(async (error: unknown) => {
      await broker.stop();
      throw error;
    });
    return broker;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function guardedBy({ lenient }: BrokerOptions, guard: Guard | undefined) {
  if (!guard || !lenient) return guard?.properties;
  const { 'authorizer.class.name': _, ...open } = guard.properties;
  return open;
}

/** What one process of a broker is run with. */
interface Run {
  readonly classpath: string;
  readonly config: string;
  readonly folder: string;
  readonly url: string;
  readonly guard: Guard | undefined;
  readonly by: readonly string[];
  readonly hasty: boolean;
}

class Process implements Broker {
  readonly url: string;
  readonly guard: Guard | undefined;
  readonly #classpath: string;
  readonly #config: string;
  readonly #folder: string;
  readonly #flags: readonly string[];
  readonly #by: readonly string[];
  #child: ChildProcess | undefined;

  constructor({ classpath, config, folder, url, guard, by, hasty }: Run) {
    // Half of what a start costs is compiling what then runs for seconds only.
    this.#flags = hasty ? ['-XX:TieredStopAtLevel=1'] : [];
    this.#classpath = classpath;
    this.#config = config;
    this.#folder = folder;
    this.guard = guard;
    this.#by = by;
    this.url = url;
  }

  get data(): string {
    return join(this.#folder, 'data');
  }

  get libs(): string {
    return this.#classpath.slice(0, -2);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const [command, ...words] = [...this.#by, 'java'];
    const child = spawn(
      command!,
      [
        ...words,
        '-Xms256m',
        '-Xmx512m',
        '-XX:+UseSerialGC',
        ...this.#flags,
        '-cp',
        this.#classpath,
        'kafka.Kafka',
        this.#config,
      ],
      // Its own group: Ctrl-C in a terminal reaches us, and we end it in order.
      { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
    );
    this.#child = child;
    let output = '';
    const keep = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-4_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const ended = once(child, 'exit').then(([code, signal]) => {
      throw new Error(`Kafka ended with ${code ?? signal}: ${output}`);
    });
    ended.catch(() => {});
    await Promise.race([ended, answers(this.url)]);
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  async gone(): Promise<string> {
    const child = this.#child;
    if (!child) return 'nothing';
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    return String(child.signalCode ?? child.exitCode);
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    // Its data goes away: nothing would be gained by an orderly shutdown, which takes seconds.
    await this.#end('SIGKILL');
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  }
}

/** Answers the folder of the version's jars; fetches them with Maven unless they are there. */
export async function fetchJars(
  cacheDir: string,
  version: string,
  say: (line: string) => void,
): Promise<string> {
  const home = join(cacheDir, version);
  const libs = join(home, 'libs');
  const complete = join(home, 'complete');
  if (
    await access(complete).then(
      () => true,
      () => false,
    )
  )
    return libs;
  say(`Fetching Kafka ${version} with Maven…`);
  await mkdir(home, { recursive: true });
  const work = await mkdtemp(join(cacheDir, 'fetch-'));
  try {
    await writeFile(join(work, 'pom.xml'), pom(version));
    await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=libs'], {
      cwd: work,
      maxBuffer: 10_000_000,
    });
    await rm(libs, { recursive: true, force: true });
    await rename(join(work, 'libs'), libs);
    await writeFile(complete, '');
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return libs;
}

function pom(version: string): string {
  // kafka-tools-api has the plug-ins of the console tools alone, and Maven gets it later than the rest: of 4.4.0 it
  // was missing on the day after the release.
  const dependency = (artifact: string) =>
    `<dependency><groupId>org.apache.kafka</groupId><artifactId>${artifact}</artifactId><version>${version}</version>
<exclusions><exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId></exclusion></exclusions></dependency>`;
  return `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>banyan</groupId><artifactId>broker</artifactId><version>1</version>
<dependencies>${dependency('kafka_2.13')}${dependency('kafka-tools')}</dependencies></project>`;
}

function properties(
  folder: string,
  [address, port]: readonly [string, number],
  controllerPort: number,
  guarded: Readonly<Record<string, string>> = {},
): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://${address}:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://${address}:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(folder, 'data'),
    'num.partitions': 6,
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 6,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    // After a crash the controller takes a broker of that id again only when the old one's session is over: 9 s.
    'broker.session.timeout.ms': 1_500,
    'broker.heartbeat.interval.ms': 300,
    // A group of one process must not wait three seconds for others.
    'group.initial.rebalance.delay.ms': 0,
    ...guarded,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
}

async function answers(url: string): Promise<void> {
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const deadline = Date.now() + 60_000;
  for (;;) {
    const admin = createClient(url, 'banyan-ready', quiet).admin({ retry: { retries: 0 } });
    try {
      await admin.connect();
      await admin.listTopics();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw new Error('Kafka did not answer within 60 s', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    } finally {
      await admin.disconnect().catch(() => {});
    }
  }
}
