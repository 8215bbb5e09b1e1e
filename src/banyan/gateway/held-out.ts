// The processes that this gateway sends nothing to although they beat: they refused a connection, or this host's
// internal token. Each with the reason and since when, which its heartbeat tells everybody, so that `status` says what
// requests see. The way back is two answers: /health/ready says 200, or that the process has no such page (it may be
// written in another language), and a request with an internal token is let in (banyan/identity/hop.ts). A process that
// is new, and all of them now and then, are asked the second before a client's request finds out.
import { type RefusalLog, sameCause } from '../identity/hop.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { HeldOut as Report } from '../placement/host.ts';
import type { Instance, Placements, Snapshot } from '../routing/snapshot.ts';
import { Inquiry, unready } from './inquiry.ts';

export interface HeldOut {
  has(host: string): boolean;
  hold(instance: Instance, reason: string): void;
  /** It does not let this host in: held out, and said in the log once. */
  refused(instance: Instance, words: string): void;
  /** Whether it lets this host in, by a question that is put from now on; why not, in words. */
  ask(instance: Instance): Promise<string | undefined>;
  reason(host: string): string | undefined;
  report(): Readonly<Record<string, Report>>;
  close(): void;
}

export interface HeldOutOptions {
  readonly placements: Placements;
  readonly tokens: InternalTokens;
  /** What is said once of a host, whichever way it was asked. */
  readonly refusals: RefusalLog;
  readonly onHeld: () => void;
  /** Monoliths are asked as well: this gateway runs no module. */
  readonly alone: boolean;
}

const CHECK_EVERY_MS = 200;
const PROBE_EVERY_MS = 10_000;

export function createHeldOut({ placements, tokens, refusals, onHeld, alone }: HeldOutOptions): HeldOut {
  const out = new Map<string, { readonly instance: Instance; reason: string; readonly since: string }>();
  const inquiry = new Inquiry(tokens);

  const hold = (instance: Instance, reason: string) => {
    const known = out.get(instance.host);
    if (known && sameCause(known.reason, reason)) return;
    out.set(instance.host, { instance, reason, since: known?.since ?? new Date().toISOString() });
    onHeld();
  };
  const refused = (instance: Instance, words: string) => {
    refusals.refused(instance.id, words);
    hold(instance, words);
  };
  const letIn = (host: string) => {
    if (out.delete(host)) onHeld();
  };

  const check = async (instance: Instance) => {
    const refusal = await inquiry.refusal(instance);
    const reason = refusal ?? (await unready(instance));
    if (!out.has(instance.host)) return;
    if (refusal !== undefined) return refused(instance, refusal);
    if (reason !== undefined) return hold(instance, reason);
    refusals.accepted(instance.id);
    letIn(instance.host);
  };
  const probe = async (instance: Instance) => {
    const refusal = await inquiry.refusal(instance);
    if (refusal) refused(instance, refusal);
  };

  let seen = new Set<string>();
  const meet = (snapshot: Snapshot) => {
    const all = everybody(snapshot, alone);
    const known = new Set(all.map(({ host }) => host));
    for (const host of out.keys()) if (!known.has(host)) letIn(host);
    // Whether it serves is not this host's word: one that does not answer yet is asked by its first request.
    for (const one of all) if (one.healthy && !seen.has(one.host)) void probe(one);
    seen = new Set(all.filter(({ healthy }) => healthy).map(({ host }) => host));
  };

  let checking = false;
  const checks = setInterval(() => {
    if (out.size === 0 || checking) return;
    checking = true;
    Promise.all([...out.values()].map(({ instance }) => check(instance))).finally(() => {
      checking = false;
    });
  }, CHECK_EVERY_MS).unref();
  const probes = setInterval(() => {
    for (const one of everybody(placements.current, alone))
      if (one.healthy && !out.has(one.host)) void probe(one);
  }, PROBE_EVERY_MS).unref();
  const unsubscribe = placements.subscribe(meet);

  return {
    has: (host) => out.has(host),
    hold,
    refused,
    ask: (instance) => inquiry.refusal(instance),
    reason: (host) => out.get(host)?.reason,
    report: () => Object.fromEntries([...out].map(([host, { reason, since }]) => [host, { reason, since }])),
    close() {
      unsubscribe();
      clearInterval(checks);
      clearInterval(probes);
    },
  };
}

/** Everybody that this gateway sends requests to. */
function everybody({ modules, monoliths }: Snapshot, alone: boolean): Instance[] {
  const services = Object.values(modules).flatMap(({ instances }) => instances);
  const all = alone ? [...services, ...monoliths] : services;
  return [...new Map(all.map((one) => [one.host, one])).values()];
}
