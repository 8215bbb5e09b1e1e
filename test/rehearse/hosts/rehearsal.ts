// Faults of a network, of clocks and of names, and restarts, struck at a shop on hosts with addresses of their own, while customers
// order and read: what they see of each and for how long, and whether what they were promised is there at the end.
import { setTimeout as pause } from 'node:timers/promises';
import { type Books, booksOf, differences } from '../store/books.ts';
import { Customers, type Pace } from './customers.ts';
import type { Scenario, Stand } from './scenario.ts';
import { type Figures, figuresOf, isCalm } from './seen.ts';
import { type HostsShop, openStage } from './stage.ts';

export interface HostsOptions extends Pace {
  readonly scenarios: readonly Scenario[];
  readonly say: (line: string) => void;
  readonly signal?: AbortSignal;
  /** A folder for what each host says; it stays. */
  readonly logs?: string | undefined;
}

export interface Played extends Figures {
  readonly scenario: string;
  readonly about: string;
  readonly seconds: number;
}

export interface HostsOutcome {
  readonly played: readonly Played[];
  readonly books: Books;
  readonly seconds: number;
  readonly wrong: readonly string[];
}

/** Before each: what customers see where nothing is wrong. */
const BEFORE_MS = 3_000;
const CALM_MS = 3_000;
/** A scenario that has not come to rest by then is a find, and the next one would be measured with it. */
const REST_MS = 90_000;
const LOOK_MS = 100;
/** More than any clock is behind. */
const OFF_MS = 600_000;

export async function rehearseHosts(options: HostsOptions): Promise<HostsOutcome> {
  const { scenarios, say, signal = new AbortController().signal, logs } = options;
  const began = performance.now();
  const shop = await openStage({ say, signal, logs });
  try {
    // An order is dated by the clock of the host that took it, and clocks are set off here; nothing is in the store from before.
    const since = new Date(Date.now() - OFF_MS);
    const customers = new Customers(shop, options);
    customers.start();
    const wrong: string[] = [];
    const played: Played[] = [];
    await atRest(customers, performance.now(), signal);
    for (const scenario of scenarios) {
      signal.throwIfAborted();
      say(`${scenario.name}: ${scenario.about}`);
      const one = await play(scenario, { shop, customers, say, signal }, wrong);
      say(`  ${inShort(one)}`);
      played.push(one);
    }
    await customers.stop();
    say('looking whether what was promised is there');
    const admin = (method: Parameters<HostsShop['admin']>[0], path: string, body?: object) =>
      shop.admin(method, path, body);
    const books = await booksOf({ admin, serverOf: () => shop.database }, customers.writers, since);
    for (const one of customers.writers.failed) wrong.push(`an order was never answered: ${one}`);
    wrong.push(...differences(books));
    return { played, books, seconds: (performance.now() - began) / 1_000, wrong };
  } finally {
    await shop.stop();
  }
}

interface Parts {
  readonly shop: HostsShop;
  readonly customers: Customers;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

async function play(scenario: Scenario, parts: Parts, wrong: string[]): Promise<Played> {
  const { shop, customers, say, signal } = parts;
  const { name, about } = scenario;
  const from = performance.now();
  const watch = (ms: number) => pause(ms, undefined, { signal });
  await watch(BEFORE_MS);
  let [struck, mended] = [0, 0];
  const stand: Stand = {
    ...{ shop, signal, say, watch },
    struck: () => {
      struck = performance.now();
    },
    mended: () => {
      mended = performance.now();
    },
    wrong: (sentence) => wrong.push(`${name}: ${sentence}`),
  };
  await scenario.play(stand);
  if (!(await atRest(customers, mended, signal)))
    wrong.push(`${name}: customers were not served well again within ${REST_MS / 1_000} s`);
  const until = performance.now();
  const figures = figuresOf(customers.seen, { from, struck, mended, until });
  wrong.push(...broken(scenario, figures).map((sentence) => `${name}: ${sentence}`));
  // Nothing is looked at again that ended before.
  customers.seen.splice(0, customers.seen.length);
  return { scenario: name, about, seconds: (until - from) / 1_000, ...figures };
}

async function atRest(customers: Customers, since: number, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + REST_MS;
  while (performance.now() < deadline) {
    const now = performance.now();
    if (now - since >= CALM_MS && isCalm(customers.seen, now - CALM_MS)) return true;
    await pause(LOOK_MS, undefined, { signal });
  }
  return false;
}

/** What differs from what was promised of it. */
function broken({ unnoticed, servedAfterS, recoversS }: Scenario, figures: Figures): string[] {
  const { failed, requests, feltS, recoveryS, said } = figures;
  if (unnoticed)
    return failed > 0 ? [`${failed} of ${requests} requests failed, most of them: ${said[0]!.what}`] : [];
  return [
    ...(servedAfterS !== undefined && feltS > servedAfterS
      ? [`customers still felt it after ${feltS.toFixed(1)} s, though others could serve them`]
      : []),
    ...(recoveryS > recoversS ? [`customers felt it for ${recoveryS.toFixed(1)} s after its end`] : []),
  ];
}

function inShort({ requests, failed, longestMs, feltS, recoveryS, said }: Played): string {
  const first = said[0] ? ` (${said[0].times} times ${said[0].what.slice(0, 160)})` : '';
  return (
    `${requests} requests, ${failed} failed, the longest ${(longestMs / 1_000).toFixed(1)} s; ` +
    `felt for ${feltS.toFixed(1)} s, and ${recoveryS.toFixed(1)} s after its end${first}`
  );
}
