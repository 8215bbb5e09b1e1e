// The mirrors of a host that serves modules in-process: what each needs of the rest of the host is tied to it here. On
// services there are none: what a service answers is real there.
import { randomBytes } from 'node:crypto';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { RemoteCalls } from '../calls/remote.ts';
import type { Contract } from '../contract/contract.ts';
import { toProblem } from '../http/problems.ts';
import { Breakers, LoopBreaker } from '../ladder/shadow/breakers.ts';
import { type AskService, Mirror, type Sample } from '../ladder/shadow/mirror.ts';
import type { Placements } from '../routing/snapshot.ts';
import type { ShadowReport, ShadowReports } from '../telemetry/shadow-reports.ts';

export interface Mirrors {
  of(contract: Contract): Mirror;
  /** By module; only what was mirrored or is. */
  read(): ShadowReports;
  close(): void;
}

export interface MirrorsOptions {
  readonly placements: Placements;
  readonly remote: Pick<RemoteCalls, 'tried'>;
  readonly keep: (sample: Sample) => void;
  readonly log: Pick<Logger, 'warn'>;
  /** @see MirrorOptions */
  readonly leastPairs?: number | undefined;
}

/** A garbage collection is no reason: of so many seconds one in a hundred hundredths has to be late. */
const LOOK_MS = 5_000;
/** How busy it is changes faster. */
const BUSY_LOOK_MS = 250;
/** Of the histogram: what it calls late is on time by so much. */
const RESOLUTION_MS = 10;

export function createMirrors({ placements, remote, keep, log, leastPairs }: MirrorsOptions): Mirrors {
  const mirrors = new Map<string, Mirror>();
  const host = new LoopBreaker((reason) =>
    log.warn(
      { reason },
      'nothing is tried on services for 30 s at a time, so that clients do not wait for it',
    ),
  );
  const breakersOf = (module: string) =>
    new Breakers(host, (reason) =>
      log.warn(
        { module, reason },
        `nothing of ${module} is tried on its service for 30 s at a time, so that clients do not wait for it`,
      ),
    );
  const loop = watchLoop(host);
  const snapshot = () => placements.current;
  const key = randomBytes(32);
  const problemOf = (error: unknown) => toProblem(error);
  const options = { ask: askBy(remote), snapshot, problemOf, keep, key, leastPairs };
  const follow = () => {
    for (const mirror of mirrors.values()) mirror.follow(placements.current);
    loop.watch([...mirrors.values()].some(({ active }) => active));
  };
  const unsubscribe = placements.subscribe(follow);

  return {
    of(contract) {
      const mirror = new Mirror(contract, { ...options, breakers: breakersOf(contract.module) });
      mirrors.set(contract.module, mirror);
      mirror.follow(placements.current);
      return mirror;
    },
    read() {
      const found: [string, ShadowReport][] = [];
      for (const [module, mirror] of mirrors) {
        const report = mirror.read();
        if (report) found.push([module, report]);
      }
      return Object.fromEntries(found);
    },
    close() {
      unsubscribe();
      loop.watch(false);
    },
  };
}

function askBy(remote: Pick<RemoteCalls, 'tried'>): AskService {
  return async (contract, operation, input, call) => {
    const { principal, address, share } = call;
    const of = { principal, address, flow: call };
    const said = await remote.tried(contract, operation, input, 'monolith', 'service', share, of);
    const { status, output, problem, events, disturbed } = said;
    return { answer: { status, body: problem ?? output ?? null, events }, unclear: disturbed };
  };
}

/** Looks how late and how busy the event loop is, while something is mirrored. */
function watchLoop(breaker: LoopBreaker) {
  let histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  let timer: NodeJS.Timeout | undefined;
  let often: NodeJS.Timeout | undefined;
  return {
    watch(on: boolean): void {
      if (on === (timer !== undefined)) return;
      clearInterval(timer);
      clearInterval(often);
      timer = undefined;
      histogram?.disable();
      if (!on) return;
      const seen = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      histogram = seen;
      seen.enable();
      timer = setInterval(() => {
        breaker.look(seen.percentile(99) / 1e6 - RESOLUTION_MS);
        seen.reset();
      }, LOOK_MS).unref();
      let before = performance.eventLoopUtilization();
      often = setInterval(() => {
        const now = performance.eventLoopUtilization();
        breaker.works(performance.eventLoopUtilization(now, before).utilization);
        before = now;
      }, BUSY_LOOK_MS).unref();
    },
  };
}
