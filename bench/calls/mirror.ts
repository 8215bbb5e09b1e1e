// What clients notice of shadows: `node bench/calls/mirror.ts` (`--help` names the options). The same requests to a shop that
// mirrors none of them and to one that mirrors some, in turns on one shop. The load is open: so many requests a second,
// whatever the answers take, 45 % of what the shop was found to be able to. A request is timed from when it was due, so that
// one that could not be sent in time counts its wait; less the millisecond by which a timer is late of itself.
// Each round has a third part in which nothing is mirrored again: what that seems to cost is what the measurement errs by.
// A round in which the mirror had left off by itself (a busy machine) says nothing, is counted, and is done again.
// Prints Markdown; `--write` puts it into RESULTS.md.
import { cpus, release } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import { countOf, readArguments } from '../../scripts/arguments.ts';
import { openStage, type Stage } from '../../test/saga-chaos/stage.ts';
import { writeSection } from '../results.ts';
import { beside, type Latencies, quantile } from './beside.ts';

const USAGE = `node bench/calls/mirror.ts [options]
  --rounds N   of each comparison (12)
  --seconds N  of each of the three parts of a round (8)
  --only PART  reads or orders
  --rate N     reads a second (45 % of what the shop can)
  --percent N  of the reads that are to be mirrored (20)
  --write      puts the result into bench/RESULTS.md`;
const options = readArguments(USAGE, {
  rounds: { type: 'string', default: '12' },
  seconds: { type: 'string', default: '8' },
  only: { type: 'string' },
  rate: { type: 'string' },
  percent: { type: 'string', default: '20' },
  write: { type: 'boolean', default: false },
});
const rounds = countOf('rounds', options.rounds, USAGE);
const seconds = countOf('seconds', options.seconds, USAGE);
const percent = countOf('percent', options.percent, USAGE);

const MODULES = ['users', 'catalog', 'orders', 'notifications'] as const;
const READS_GOAL = 1.1;
const WRITE_BUDGET_MS = 100;
/** Of what is to be shadowed, to call it that. */
const LEAST_SHADOWED = 0.25;

interface Mirror {
  readonly reads: number;
  readonly writes: number;
}
interface Request {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly token: string;
  readonly body?: object;
}
/** One part of a round. */
interface Stretch {
  readonly latencies: Latencies;
  /** How late requests were sent. */
  readonly lateness: Latencies;
  /** Tried and compared, in percent of the requests: what a request asks of other modules counts, too. */
  readonly shadowed: number;
}
const arms = ['none', 'mirrored', 'none again'] as const;
type Round = Readonly<Record<(typeof arms)[number], Stretch>>;

class Shop {
  readonly #stage: Stage;
  readonly #http: Pool;
  readonly tokens: readonly string[];
  readonly products: readonly string[];
  #key = 0;

  constructor(stage: Stage, tokens: readonly string[], products: readonly string[]) {
    this.#stage = stage;
    this.#http = new Pool(stage.url, { connections: 32 });
    this.tokens = tokens;
    this.products = products;
  }

  close = () => this.#http.destroy();

  async mirrors({ reads, writes }: Mirror): Promise<void> {
    const placement =
      reads + writes > 0 ? { placement: 'shadow', mirror: { reads, writes } } : { placement: 'in-process' };
    for (const module of MODULES) await this.#stage.admin('PUT', `/admin/placements/${module}`, placement);
  }

  async shadows(): Promise<{ tried: number; not: number }> {
    const sum = { tried: 0, not: 0 };
    for (const module of MODULES) {
      const { mirrored, skipped, failed } = (await this.#stage.admin('GET', `/admin/ladders/${module}`))
        .shadow;
      sum.tried += mirrored;
      sum.not += skipped + failed;
    }
    return sum;
  }

  /** Milliseconds. */
  async ask({ method, path, token, body }: Request): Promise<number> {
    this.#key += 1;
    const began = performance.now();
    const answer = await this.#http.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body && {
          'content-type': 'application/json',
          'idempotency-key': `mirror-${process.pid}-${this.#key}`,
        }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const ms = performance.now() - began;
    if (answer.statusCode >= 300) throw new Error(`${method} ${path}: ${answer.statusCode} ${text}`);
    return ms;
  }
}

const pick = <T>(some: readonly T[]): T => some[Math.floor(Math.random() * some.length)]!;

function readOf({ tokens, products }: Shop): Request {
  const paths = [
    `/api/catalog/products/${pick(products)}`,
    '/api/catalog/products?limit=20',
    '/api/users/me',
    '/api/orders?limit=5',
  ];
  return { method: 'GET', path: pick(paths), token: pick(tokens) };
}

function orderOf({ tokens, products }: Shop): Request {
  const body = { lines: [{ productId: pick(products), quantity: 1 }], paymentToken: 'tok_ok' };
  return { method: 'POST', path: '/api/orders', token: pick(tokens), body };
}

/** By which a timer is late of itself. */
const GRAIN_MS = 1;

/** So many a second, whatever the answers take. */
async function steady(shop: Shop, of: (shop: Shop) => Request, perSecond: number) {
  const began = performance.now();
  const asked: Promise<number>[] = [];
  const lateness: number[] = [];
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const due = began + (n * 1_000) / perSecond;
    const wait = Math.ceil(due - performance.now());
    if (wait > 0) await pause(wait);
    const late = Math.max(0, performance.now() - due - GRAIN_MS);
    lateness.push(late);
    asked.push(shop.ask(of(shop)).then((ms) => ms + late));
  }
  return { latencies: await Promise.all(asked), lateness };
}

/** Reads a second that the shop answers to sixteen who ask at once, again and again. */
async function capacity(shop: Shop): Promise<number> {
  const ends = performance.now() + 4_000;
  let answered = 0;
  const client = async () => {
    for (; performance.now() < ends; answered += 1) await shop.ask(readOf(shop));
  };
  await Promise.all(Array.from({ length: 16 }, client));
  return answered / 4;
}

type Load = () => ReturnType<typeof steady>;

async function stretch(shop: Shop, mirror: Mirror, load: Load): Promise<Stretch> {
  await shop.mirrors(mirror);
  await pause(500);
  const { latencies, lateness } = await load();
  const { tried } = mirror.reads + mirror.writes > 0 ? await shop.shadows() : { tried: 0 };
  process.stderr.write('.');
  return { latencies, lateness, shadowed: (100 * tried) / latencies.length };
}

const none: Mirror = { reads: 0, writes: 0 };

/** The three parts, begun with another one each time. */
async function round(first: number, shop: Shop, mirror: Mirror, load: Load): Promise<Round> {
  const found: Partial<Record<(typeof arms)[number], Stretch>> = {};
  for (const [at] of arms.entries()) {
    const arm = arms[(first + at) % arms.length]!;
    found[arm] = await stretch(shop, arm === 'mirrored' ? mirror : none, load);
  }
  return found as Round;
}

const rows: string[] = [];
const goals: string[] = [];

async function compare(shop: Shop, what: string, mirror: Mirror, load: Load): Promise<void> {
  // What is noise of each operation is learned first, as in a ladder's first minute.
  await stretch(shop, { reads: mirror.reads && 100, writes: mirror.writes && 100 }, load);
  await stretch(shop, none, load);
  const found: Round[] = [];
  let leftOff = 0;
  while (found.length < rounds && leftOff < rounds) {
    const one = await round(found.length, shop, mirror, load);
    if (one.mirrored.shadowed >= LEAST_SHADOWED * Math.max(mirror.reads, mirror.writes)) found.push(one);
    else leftOff += 1;
  }
  process.stderr.write('\n');
  describe(what, mirror, found, leftOff);
  if (found.length >= 4) describe(`${what}; calmer half`, mirror, calmer(found), 0);
}

/**
 * The half of the rounds whose parts without a mirror were the calmest: others on the machine disturb whole rounds. How the
 * mirrored part went has no say in it, so what is left of it is no better than all of it.
 */
function calmer(found: readonly Round[]): readonly Round[] {
  const worse = (one: Round) =>
    Math.max(quantile(one.none.latencies, 0.99), quantile(one['none again'].latencies, 0.99));
  return found.toSorted((a, b) => worse(a) - worse(b)).slice(0, found.length / 2);
}

function describe(what: string, { reads }: Mirror, found: readonly Round[], leftOff: number): void {
  if (found.length === 0) {
    goals.push(`| ${what} | the mirror had left off in all of ${leftOff} rounds | | | |`);
    return;
  }
  for (const arm of arms) {
    const all = found.flatMap((one) => one[arm].latencies);
    const times = [0.5, 0.9, 0.99].map((part) => quantile(all, part).toFixed(2));
    const late = quantile(
      found.flatMap((one) => one[arm].lateness),
      0.99,
    );
    const shadowed = found.reduce((sum, one) => sum + one[arm].shadowed, 0) / found.length;
    rows.push(
      `| ${what}: ${arm} | ${times.join(' | ')} | ${late.toFixed(2)} | ${arm === 'mirrored' ? `${shadowed.toFixed(1)} %` : ''} |`,
    );
  }
  const of = (arm: (typeof arms)[number]) => found.map((one) => one[arm].latencies);
  const shown = (arm: (typeof arms)[number], part: number) => {
    const { ratio, from, to } = beside(of('none'), of(arm), part);
    return `${ratio.toFixed(2)} (${from.toFixed(2)} to ${to.toFixed(2)})`;
  };
  const { ratio } = beside(of('none'), of('mirrored'), 0.99);
  const more = quantile(of('mirrored').flat(), 0.99) - quantile(of('none').flat(), 0.99);
  const met = reads > 0 ? ratio <= READS_GOAL : more <= WRITE_BUDGET_MS;
  const goal = reads > 0 ? `at most ${READS_GOAL}` : `at most ${WRITE_BUDGET_MS} ms more`;
  goals.push(
    `| ${what} | ${shown('mirrored', 0.99)} | ${more.toFixed(1)} ms | ${shown('none again', 0.99)} | ${shown('mirrored', 0.5)} | ${goal}: ${met ? 'met' : 'MISSED'}; left off in ${leftOff} other rounds |`,
  );
}

const wanted = options.only ?? 'all';
if (!['all', 'reads', 'orders'].includes(wanted))
  throw new Error(`--only ${wanted}: name one of reads, orders`);
const stage = await openStage('postgres');
let found = '';
try {
  for (const module of MODULES) await stage.admin('PUT', `/admin/services/${module}`, { instances: 1 });
  const tokens = await Promise.all(Array.from({ length: 16 }, () => stage.customer()));
  const products = await Promise.all(Array.from({ length: 30 }, () => stage.product(1_000_000)));
  const shop = new Shop(stage, tokens, products);
  if (wanted !== 'orders') {
    let rate = options.rate === undefined ? 0 : countOf('rate', options.rate, USAGE);
    if (rate === 0) {
      await capacity(shop);
      const most = await capacity(shop);
      rate = Math.round(0.45 * most);
      found = `Of ${most.toFixed(0)} reads a second that it can answer, ${rate} are asked for. `;
    }
    const mirror = { reads: percent, writes: 0 };
    await compare(shop, `reads, ${rate} a second, mirror ${percent} %`, mirror, () =>
      steady(shop, readOf, rate),
    );
  }
  if (wanted !== 'reads')
    await compare(shop, 'orders, 40 a second, mirror of writes 5 %', { reads: 0, writes: 5 }, () =>
      steady(shop, orderOf, 40),
    );
  shop.close();
} finally {
  await stage.stop();
}

const text = [
  `\`node bench/calls/mirror.ts --rounds ${rounds} --seconds ${seconds}\``,
  '',
  `Machine: ${cpus().length} x ${cpus()[0]!.model.trim()}, Linux ${release()}, Node ${process.versions.node}. ${new Date().toISOString().slice(0, 10)}, ${rounds} rounds of 3 x ${seconds} s. One shop with a process each of ${MODULES.join(', ')}, the load on the same cores. ${found}Latencies are from when a request was due.`,
  '',
  '| variant | p50, ms | p90, ms | p99, ms | sent late, p99, ms | shadowed and compared, of all requests |',
  '|---|---|---|---|---|---|',
  ...rows,
  '',
  '| over all requests of all rounds (95 % of draws of rounds) | p99, mirrored beside none | more | p99, none beside none | p50, mirrored beside none | goal |',
  '|---|---|---|---|---|---|',
  ...goals,
].join('\n');
process.stdout.write(`${text}\n`);
if (options.write) writeSection('mirror', text);
process.exit(0);
