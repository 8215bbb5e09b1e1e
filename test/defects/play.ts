// One row of the table, played: the module climbs while it is asked for, until it comes down. What it came to is held
// against the row, and against the promises of every ladder: nobody hears of a shadow, nothing climbs past its defect.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Ladder } from '../../src/banyan/ladder/desk/contract.ts';
import type { Entry } from '../../src/banyan/placement/admin-contract.ts';
import type { DefectiveShop } from './shop.ts';
import { SLOWER_MS } from './switch.ts';
import type { Row } from './table.ts';

export interface Climbing {
  readonly minSeconds: number;
  readonly minRequests: number;
  /** Of the requests, in percent, before 100. */
  readonly shares: readonly [number, ...number[]];
  /** So many requests, where there is a shadow and where there are shares. */
  readonly perSecond: { readonly shadow: number; readonly shares: number };
  /** No row takes longer. */
  readonly mostSeconds: number;
}

export interface Found {
  readonly name: string;
  readonly module: string;
  readonly steps: readonly string[];
  /** Where it ended, and what its ladder says. */
  readonly rung: string;
  readonly state: Ladder['state'];
  readonly reason: string;
  readonly seconds: number;
  readonly requests: number;
  /** Those that were answered 5xx. */
  readonly failed: number;
  /** Why it says nothing: what the row takes for granted was not so, on a machine with much else to do. */
  readonly unfit?: string;
  /** Sentences; none: it was found where it can be, in its words. */
  readonly wrong: readonly string[];
}

const USERS = 400;
const LOOK_MS = 250;
const EVERY_MS = 20;
/** Until then a process that has just been started is slow itself. */
const HOPELESS_SECONDS = 12;
const LATELY = 300;

export async function play(shop: DefectiveShop, row: Row, sizes: Climbing, signal: AbortSignal) {
  const { module } = row;
  const { minSeconds, minRequests, shares, mostSeconds } = sizes;
  const began = performance.now();
  const steps = [...(row.shadow ? ['shadow'] : []), ...shares.map(String), '100'];
  // All of the writes, so that few requests are enough.
  if (row.shadow)
    await shop.admin('PUT', `/admin/placements/${module}`, {
      placement: 'shadow',
      mirror: { reads: 100, writes: 100 },
    });
  const policy = { steps: steps.map((step) => (step === 'shadow' ? step : Number(step))) };
  await shop.admin('PUT', `/admin/ladders/${module}`, { ...policy, minSeconds, minRequests });
  const traffic = new Traffic(
    shop,
    row,
    Math.min(sizes.perSecond[row.shadow ? 'shadow' : 'shares'], row.atMost ?? Infinity),
  );
  await traffic.begin();
  let ladder: Ladder;
  try {
    do {
      await pause(LOOK_MS, undefined, { signal });
      ladder = await shop.admin('GET', `/admin/ladders/${module}`);
      const seconds = (performance.now() - began) / 1000;
      if (seconds > mostSeconds || (seconds > HOPELESS_SECONDS && isHopeless(row, traffic.nearMs))) break;
    } while (ladder.state === 'running');
  } finally {
    await traffic.end();
  }
  const { body } = await shop.ask({
    path: '/admin/placements',
    token: shop.adminToken,
  });
  const placed = body.modules.find((one: { module: string }) => one.module === module) as Entry;
  await shop.admin('PUT', `/admin/placements/${module}`, { placement: 'in-process' });
  const { requests, failed, nearMs } = traffic;
  const { state } = ladder;
  const [rung, reason] = [ladder.rung!, ladder.reason!];
  const seconds = (performance.now() - began) / 1000;
  const found = { ...{ name: row.name, module, steps, rung, state, reason }, seconds, requests, failed };
  const wrong = whatIsWrong(row, found, placed, ladder.shadow);
  const unfit = wrong.length > 0 ? whyUnfit(row, nearMs, placed, ladder.shadow) : undefined;
  return { ...found, wrong, ...(unfit !== undefined && { unfit }) } satisfies Found;
}

function whatIsWrong(
  row: Row,
  { steps, rung, state, reason, failed }: Omit<Found, 'wrong'>,
  { placement, mirrorPaused }: Entry,
  shadow: Ladder['shadow'],
) {
  const [first, second] = steps.filter((step) => step !== 'shadow') as [string, string];
  const wrong: string[] = [];
  if (state !== 'demoted')
    wrong.push(
      `its ladder is ${state} at ${rung}: ${reason}; ${JSON.stringify(shadow)}${mirrorPaused === undefined ? '' : `, and paused: ${mirrorPaused}`}`,
    );
  else if (!row.found(rung, first, second)) wrong.push(`it was found at ${rung} only: ${reason}`);
  else if (!row.words.test(reason)) wrong.push(`it is not named: ${reason}`);
  if (state === 'demoted' && placement !== 'in-process')
    wrong.push(`it came down and is placed ${placement}`);
  if (rung === 'shadow' && failed > 0) wrong.push(`${failed} requests failed although nobody was served`);
  return wrong;
}

const quantile = (ms: readonly number[], part: number) =>
  ms.toSorted((a, b) => a - b)[Math.floor(part * ms.length)] ?? 0;

/** What nearly all answers of the monolith take, all the while or lately. */
const usual = (nearMs: readonly number[]) =>
  Math.max(quantile(nearMs, 0.95), quantile(nearMs.slice(-LATELY), 0.95));

/**
 * Slow is only what takes half as long again as nearly all do on the near side, and a bit. Beside answers that take longer
 * than these 20 ms more are hardly ever seen, and at another moment they may be.
 */
const isHopeless = ({ defect }: Row, nearMs: readonly number[]) =>
  defect === 'slow' && quantile(nearMs.slice(-LATELY), 0.95) > 1.5 * SLOWER_MS;

/** 20 ms are found where they make a common answer a slow one. Shadows are done where the host has time for them. */
function whyUnfit(
  { defect, shadow }: Row,
  nearMs: readonly number[],
  { mirrorPaused }: Entry,
  { mirrored, skipped }: Ladder['shadow'],
) {
  const nearlyAll = usual(nearMs);
  if (defect === 'slow' && quantile(nearMs, 0.5) + SLOWER_MS < 1.5 * nearlyAll + 5)
    return `the monolith itself took ${nearlyAll.toFixed(0)} ms (p95)`;
  if (!shadow) return undefined;
  return (
    mirrorPaused ?? (skipped > mirrored ? `${skipped} shadows were skipped, ${mirrored} done` : undefined)
  );
}

/** Requests of many users, or of many traces, at a pace. */
class Traffic {
  requests = 0;
  failed = 0;
  /** What the monolith's answers took. */
  readonly nearMs: number[] = [];
  readonly #shop: DefectiveShop;
  readonly #row: Row;
  readonly #perSecond: number;
  readonly #tokens: string[] = [];
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(shop: DefectiveShop, row: Row, perSecond: number) {
    this.#shop = shop;
    this.#row = row;
    this.#perSecond = perSecond;
  }

  async begin(): Promise<void> {
    for (let n = 0; n < USERS; n += 1) {
      const subject = { id: randomUUID(), role: 'customer', epoch: 0 } as const;
      this.#tokens.push((await this.#shop.signer.sign(subject)).token);
    }
    let due = 0;
    this.#timer = setInterval(() => {
      due += (this.#perSecond * EVERY_MS) / 1_000;
      for (; due >= 1; due -= 1) this.#one();
    }, EVERY_MS);
  }

  async end(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay);
  }

  #one(): void {
    // Nobody waits for who is too slow: a machine that is busy has fewer requests, and not more at once.
    if (this.#underWay.size >= 16) return;
    const token = this.#tokens[this.requests % USERS]!;
    this.requests += 1;
    const began = performance.now();
    const asked = this.#shop
      .ask(this.#row.asks(this.#shop, token))
      .then(({ status, by }) => {
        if (by === 'monolith') this.nearMs.push(performance.now() - began);
        if (status >= 500) this.failed += 1;
      })
      .catch(() => {
        this.failed += 1;
      })
      .finally(() => this.#underWay.delete(asked));
    this.#underWay.add(asked);
  }
}
