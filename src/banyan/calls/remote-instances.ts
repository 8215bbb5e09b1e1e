// The processes that calls go to, each with one link for as long as the snapshot knows it, and what this host has under
// way there. Of those that may take a call the least busy gets it, of the release that its key is for where one is deployed
// beside another; who refuses is passed over.
// It decides neither on which side a call is made nor whether it may be repeated.
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { type RefusalLog, refusalInWords } from '../identity/hop.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import { leastBusy, SUSPECT_PENALTY } from '../routing/balance.ts';
import { type Preference, preferenceOf } from '../routing/release.ts';
import { candidatesOf } from '../routing/side.ts';
import type { Instance, Placements, Snapshot } from '../routing/snapshot.ts';
import type { FarCall, Link, ModuleTraffic, RemoteInstance } from './far-call.ts';
import { HttpLink } from './http-client.ts';
import { WsLink } from './ws-client.ts';

export interface RemoteInstancesOptions {
  readonly calls: ReadonlyMap<number, FarCall>;
  readonly placements: Placements;
  readonly tokens: InternalTokens;
  readonly log: Pick<Logger, 'warn'>;
  /** Hears of hosts that do not let this one in. */
  readonly refusals: RefusalLog;
  readonly maxPayload: number;
  readonly heartbeatMs: number;
}

export interface RemoteInstances {
  trafficOf(module: string): ModuleTraffic;
  /** Sends the call to the best process that has not lost it yet; false when there is none. */
  send(call: FarCall): boolean;
  /** The call is no longer under way where it was. */
  release(call: FarCall): void;
  inflight(module: string): number;
  close(): void;
}

export function createRemoteInstances(options: RemoteInstancesOptions): RemoteInstances {
  const { placements } = options;
  const connections = new Connections(options);
  const trafficByModule = new Map<string, ModuleTraffic>();
  const unsubscribe = placements.subscribe((snapshot) => connections.follow(snapshot));

  return {
    trafficOf(module) {
      let traffic = trafficByModule.get(module);
      if (!traffic) {
        traffic = { module, toService: 0, turn: 0 };
        trafficByModule.set(module, traffic);
      }
      return traffic;
    },
    send(call) {
      const { traffic } = call.target;
      const { current } = placements;
      const candidates = connections.to(candidatesOf(current, traffic.module, call.side));
      traffic.turn += 1;
      const preference = preferenceOf(current, traffic.module, call.side, call.share);
      const remote = pick(candidates, traffic.turn, call, preference);
      if (!remote) return false;
      call.remote = remote;
      call.servedBy = remote.id;
      remote.inflight += 1;
      if (call.side === 'service') traffic.toService += 1;
      remote.link.send(call);
      return true;
    },
    release(call) {
      const { remote } = call;
      if (!remote) return;
      call.remote = undefined;
      call.link = undefined;
      remote.inflight -= 1;
      if (call.side === 'service') call.target.traffic.toService -= 1;
      if (remote.gone && remote.inflight === 0) connections.retire(remote);
    },
    inflight: (module) => trafficByModule.get(module)?.toService ?? 0,
    close() {
      unsubscribe();
      connections.close();
    },
  };
}

/** One connection to each process, as long as the picture has it and by the key of the moment. */
class Connections {
  readonly #options: RemoteInstancesOptions;
  readonly #byHost = new Map<string, RemoteInstance>();
  /** Those of a snapshot's list that are healthy. */
  readonly #known = new WeakMap<readonly Instance[], readonly RemoteInstance[]>();
  /** The key that opened those that are here. */
  #kid = '';

  constructor(options: RemoteInstancesOptions) {
    this.#options = options;
  }

  /** To those of the list that are healthy. */
  to(instances: readonly Instance[]): readonly RemoteInstance[] {
    let all = this.#known.get(instances);
    if (!all) {
      all = instances.filter((one) => one.healthy).map((one) => this.#of(one));
      this.#known.set(instances, all);
    }
    return all;
  }

  follow(snapshot: Placements['current']): void {
    this.#renew();
    const present = hostsOf(snapshot);
    for (const remote of this.#byHost.values()) {
      remote.gone = !present.has(remote.host);
      if (remote.gone && remote.inflight === 0) this.retire(remote);
    }
  }

  retire(remote: RemoteInstance): void {
    if (this.#byHost.get(remote.host) === remote) this.#byHost.delete(remote.host);
    remote.link.close();
  }

  close(): void {
    for (const remote of this.#byHost.values()) remote.link.close();
    this.#byHost.clear();
  }

  #of(instance: Instance): RemoteInstance {
    let remote = this.#byHost.get(instance.host);
    if (!remote) {
      const { id, host, release } = instance;
      if (this.#byHost.size === 0) this.#kid = this.#options.tokens.kid;
      remote = { id, host, release, link: createLink(instance, this.#options), inflight: 0, gone: false };
      this.#byHost.set(instance.host, remote);
    }
    remote.gone = false;
    return remote;
  }

  /** A connection is as old as the key that opened it: with another key it is followed by another, and finishes. */
  #renew(): void {
    const { kid } = this.#options.tokens;
    if (this.#byHost.size === 0 || this.#kid === kid) return;
    this.#kid = kid;
    for (const remote of this.#byHost.values()) {
      this.#byHost.delete(remote.host);
      remote.gone = true;
      if (remote.inflight === 0) remote.link.close();
    }
  }
}

function pick(
  candidates: readonly RemoteInstance[],
  turn: number,
  { tried, target: { prefix } }: FarCall,
  preference: Preference | undefined,
): RemoteInstance | undefined {
  const now = Date.now();
  return leastBusy(candidates, turn, ({ link, inflight, release }) => {
    if ((prefix !== '' && !link.carriesClients) || !link.usableAt(now) || tried?.has(link))
      return Number.POSITIVE_INFINITY;
    return inflight + (link.suspect ? SUSPECT_PENALTY : 0) + (preference?.(release) ?? 0);
  });
}

function createLink(instance: Instance, options: RemoteInstancesOptions): Link {
  const { tokens, calls, maxPayload, heartbeatMs, log, refusals } = options;
  const { url, legacy } = instance;
  const audience = audienceOf(instance.id);
  const token = () => tokens.mint(audience, legacy);
  const told = {
    refused: (headers: IncomingHttpHeaders) => {
      const words = refusalInWords(instance.id, headers);
      refusals.refused(instance.id, words);
      return words;
    },
    accepted: () => refusals.accepted(instance.id),
  };
  return instance.doors.includes('ws')
    ? new WsLink({ url, token, calls, maxPayload, heartbeatMs, log, ...told })
    : new HttpLink({ url, token, maxPayload, ...told });
}

function hostsOf(snapshot: Snapshot): Set<string> {
  const hosts = new Set(snapshot.monoliths.map(({ host }) => host));
  for (const { instances } of Object.values(snapshot.modules)) {
    for (const { host } of instances) hosts.add(host);
  }
  return hosts;
}
