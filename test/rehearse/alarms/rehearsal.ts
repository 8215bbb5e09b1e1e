// Faults struck in a shop that a real Prometheus watches: for each, whether its alarms fire in time, name the thing, have a runbook
// whose first command works, and end once it is mended. Before it, how long nothing fires while customers do what they do.
import { missingForBroker } from '../../../src/banyan/events/testing/broker.ts';
import type { Expected, Fault } from './fault.ts';
import { type Firing, type Prometheus, startPrometheus } from './prometheus.ts';
import { readAlarms } from './rules.ts';
import { runbookOf, type Tried, tryRunbook } from './runbook.ts';
import { type AlarmShop, KAFKA_JARS, type Need, openAlarmShop } from './stage.ts';
import { Traffic } from './traffic.ts';
import { Watch } from './watch.ts';

export interface AlarmOptions {
  readonly faults: readonly Fault[];
  /** What every duration of the rules is divided by; 1: as they are delivered. */
  readonly scale: number;
  /** Of ordinary traffic before the first fault. */
  readonly calmS: number;
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
}

export interface Observed {
  readonly fault: string;
  readonly part: string;
  readonly struck: string;
  readonly alarm: string;
  readonly labels: Readonly<Record<string, string>>;
  /** From where it begins to be struck until it fires; null: it did not in time. */
  readonly firedS: number | null;
  /** From the mend until it does not; null: it did not in time. */
  endedS: number | null;
  readonly summary: string;
  readonly runbook: string;
}

export interface AlarmOutcome {
  readonly scale: number;
  readonly calmS: number;
  readonly observed: readonly Observed[];
  /** Faults that could not be struck here, and why. */
  readonly leftOut: Readonly<Record<string, string>>;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** Beyond the times of a rule: two scrapes, an evaluation, and a machine that has other things to do. */
const MARGIN_MS = 40_000;
const LENGTHS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

const lengthOf = (text: string): number => Number(text.slice(0, -1)) * LENGTHS[text.at(-1)!]!;

/** How long each alarm may take, by its rule. */
function boundsOf(scale: number): (alarm: string) => { fireMs: number; endMs: number } {
  const rules = new Map(readAlarms().map((one) => [one.name, one]));
  return (alarm) => {
    const { for: wait = '0s', expr } = rules.get(alarm)!;
    const windows = [...expr.matchAll(/\[(\d+[smh])\]/g)].map(([, length]) => lengthOf(length!));
    // What is compared with an hour ends with what it is about.
    const window = Math.max(0, ...windows.filter((ms) => ms < LENGTHS.h!));
    return {
      fireMs: (lengthOf(wait) + window) / scale + MARGIN_MS,
      endMs: (window + 60_000) / scale + MARGIN_MS,
    };
  };
}

export async function rehearseAlarms(options: AlarmOptions): Promise<AlarmOutcome> {
  const { faults: wanted, scale, calmS, say, signal = new AbortController().signal } = options;
  const began = performance.now();
  const { faults, leftOut } = await possible(wanted, scale);
  for (const [name, why] of Object.entries(leftOut)) say(`${name} is left out: ${why}`);
  const needs = [...new Set(faults.flatMap(({ needs = [] }) => needs))];
  say(`starting the shop${needs.length > 0 ? `, with ${needs.join(', ')}` : ''}`);
  const shop = await openAlarmShop(needs);
  let prometheus: Prometheus | undefined;
  let watch: Watch | undefined;
  let traffic: Traffic | undefined;
  try {
    prometheus = await watched(shop, scale, signal);
    watch = new Watch(prometheus, scale > 1 ? 200 : 1_000);
    traffic = new Traffic(shop);
    const played = new Played({ shop, prometheus, watch, say, signal, bounds: boundsOf(scale) });
    await played.calm(calmS, traffic);
    await Promise.all(faults.filter(({ alone }) => !alone).map((fault) => played.play(fault)));
    for (const fault of faults.filter(({ alone }) => alone)) await played.play(fault);
    say('waiting until the last alarm has ended');
    await played.over();
    const seconds = (performance.now() - began) / 1_000;
    return { scale, calmS, observed: played.observed, leftOut, seconds, wrong: played.wrong };
  } finally {
    traffic?.stop();
    await watch?.stop();
    await prometheus?.stop();
    await shop.stop();
  }
}

async function possible(wanted: readonly Fault[], scale: number) {
  const kafka = wanted.some(({ needs }) => needs?.includes('kafka'))
    ? await missingForBroker(KAFKA_JARS)
    : undefined;
  const lacks = (need: Need) => (need === 'kafka' ? kafka : undefined);
  const leftOut: Record<string, string> = {};
  const faults = wanted.filter(({ name, needs = [], mostScale = scale }) => {
    const why =
      scale > mostScale
        ? `it cannot be seen where times are divided by more than ${mostScale}`
        : needs.map(lacks).find((one) => one !== undefined);
    if (why !== undefined) leftOut[name] = why;
    return why === undefined;
  });
  return { faults, leftOut };
}

/** As docs/observability.md says: an operator of its own with the scope `read`. */
async function watched(shop: AlarmShop, scale: number, signal: AbortSignal): Promise<Prometheus> {
  const { token } = await shop.admin('POST', '/admin/operators', { name: 'prometheus', scopes: ['read'] });
  const prometheus = await startPrometheus(`${shop.url}/admin/discovery`, token, scale);
  try {
    // Before its first look nobody is there, which is an alarm.
    const begun = async () =>
      (await prometheus.query('up{role="monolith"} == 1')).length > 0 &&
      (await prometheus.firing()).every(({ name }) => name !== 'BanyanMonolithGone');
    const deadline = performance.now() + MARGIN_MS;
    while (!(await begun())) {
      signal.throwIfAborted();
      if (performance.now() > deadline)
        throw new Error(`Prometheus does not learn of the monolith: ${prometheus.said()}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return prometheus;
  } catch (error) {
    await prometheus.stop();
    throw error;
  }
}

interface Parts {
  readonly shop: AlarmShop;
  readonly prometheus: Prometheus;
  readonly watch: Watch;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly bounds: ReturnType<typeof boundsOf>;
}

class Played {
  readonly observed: Observed[] = [];
  readonly wrong: string[] = [];
  readonly #parts: Parts;
  readonly #ends: Promise<void>[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async calm(seconds: number, traffic: Traffic): Promise<void> {
    const { watch, say, signal } = this.#parts;
    say(`${seconds} s of ordinary traffic`);
    const until = performance.now() + seconds * 1_000;
    while (performance.now() < until) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    const { asked, failed } = traffic;
    say(`  ${asked} requests, ${failed} failed; alarms: ${[...watch.seen].join(', ') || 'none'}`);
    if (failed > 0) this.wrong.push(`${failed} of ${asked} requests failed where nothing was wrong`);
    for (const name of watch.seen) this.wrong.push(`${name} fired where nothing was wrong`);
  }

  async play(fault: Fault): Promise<void> {
    const { shop, prometheus, watch, bounds, say, signal } = this.#parts;
    signal.throwIfAborted();
    // What another fault left would be taken for this one's.
    await Promise.all(fault.alarms.map((one) => watch.until(one, false, bounds(one.alarm).endMs, signal)));
    const struckAt = performance.now();
    const mend = await fault.strike(shop, prometheus);
    say(`${fault.name}: ${fault.struck}`);
    try {
      const seen = await Promise.all(fault.alarms.map((one) => this.#fires(fault, one, struckAt)));
      await Promise.all(seen.map((one, at) => one && this.#look(fault.alarms[at]!, one)));
    } finally {
      await mend();
    }
    const mendedAt = performance.now();
    for (const one of fault.alarms) {
      const end = this.#ended(fault, one, mendedAt);
      // Awaited at the end of all; an interruption comes before that.
      end.catch(() => {});
      this.#ends.push(end);
    }
  }

  /** Every alarm has ended that a fault was struck for. */
  async over(): Promise<void> {
    await Promise.all(this.#ends);
  }

  async #fires(fault: Fault, expected: Expected, struckAt: number): Promise<Firing | undefined> {
    const { watch, bounds, signal, say } = this.#parts;
    const { alarm, labels } = expected;
    const withinMs = bounds(alarm).fireMs + (fault.slowMs ?? 0);
    const fired = await watch.until(expected, true, withinMs, signal);
    const seconds = (performance.now() - struckAt) / 1_000;
    const firing = fired === true ? undefined : fired;
    const told = { summary: firing?.summary ?? '', runbook: firing?.runbook ?? '' };
    const about = { fault: fault.name, part: fault.part, struck: fault.struck };
    this.observed.push({ ...about, alarm, labels, firedS: firing ? seconds : null, endedS: null, ...told });
    if (firing) say(`  ${alarm} after ${seconds.toFixed(1)} s: ${firing.summary}`);
    else this.wrong.push(`${alarm} did not fire within ${(withinMs / 1_000).toFixed(0)} s of ${fault.name}`);
    return firing;
  }

  /** What somebody reads and does who is told of it. */
  async #look({ exit = 0 }: Expected, { name, labels, summary, runbook }: Firing): Promise<void> {
    const { shop } = this.#parts;
    for (const [label, value] of Object.entries(labels))
      if (['module', 'held', 'host'].includes(label) && !summary.includes(value) && !isOwn(name))
        this.wrong.push(`${name} does not name the ${label} ${value}: ${summary}`);
    if (!runbookOf(runbook)) this.wrong.push(`${name} has no runbook: ${runbook}`);
    const env = { BANYAN_URL: shop.url, ADMIN_TOKEN: shop.adminToken, DATA_DIR: shop.dataDir };
    const tried = await tryRunbook(runbook, env, labels);
    if (tried && !works(tried, exit))
      this.wrong.push(`${name}: \`${tried.command}\` ended with ${tried.exit}: ${tried.said.slice(0, 300)}`);
  }

  async #ended(fault: Fault, expected: Expected, mendedAt: number): Promise<void> {
    const { watch, bounds, signal, say } = this.#parts;
    const seen = this.observed.find((one) => one.fault === fault.name && one.alarm === expected.alarm)!;
    if (seen.firedS === null) return;
    const withinMs = bounds(expected.alarm).endMs + (fault.slowMs ?? 0);
    const ended = await watch.until(expected, false, withinMs, signal);
    const seconds = (performance.now() - mendedAt) / 1_000;
    if (ended) seen.endedS = seconds;
    else
      this.wrong.push(
        `${expected.alarm} had not ended ${seconds.toFixed(0)} s after ${fault.name} was mended`,
      );
    if (ended) say(`  ${expected.alarm} ended ${seconds.toFixed(1)} s after ${fault.name} was mended`);
  }
}

/** Numbers of one module: the label says which, the sentence what. */
const isOwn = (name: string): boolean =>
  readAlarms().find((one) => one.name === name)!.group === 'banyan-outside';

/** It came to its end and said something. */
const works = ({ exit, said }: Tried, wanted: number): boolean => exit === wanted && said.trim() !== '';
