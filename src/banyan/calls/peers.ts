// The processes that calls go to, each with one link for as long as the snapshot knows it, and what this host has under
// way there. Of those that may take a call the least busy gets it; who refuses is passed over.
// It decides neither on which side a call is made nor whether it may be repeated.
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { type RefusalLog, refusalInWords } from '../identity/hop.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import { leastBusy, SUSPECT_PENALTY } from '../routing/balance.ts';
import { candidatesOf } from '../routing/side.ts';
import type { Endpoint, Placements, Snapshot } from '../routing/snapshot.ts';
import type { FarCall, Link, Peer, Route } from './far-call.ts';
import { HttpLink } from './http-client.ts';
import { WsLink } from './ws-client.ts';

export interface PeersOptions {
  readonly calls: ReadonlyMap<number, FarCall>;
  readonly placements: Placements;
  readonly tokens: InternalTokens;
  readonly log: Pick<Logger, 'warn'>;
  /** Hears of hosts that do not let this one in. */
  readonly refusals: RefusalLog;
  readonly maxPayload: number;
  readonly heartbeatMs: number;
}

export interface Peers {
  route(module: string): Route;
  /** Sends the call to the best process that has not lost it yet; false when there is none. */
  send(call: FarCall): boolean;
  /** The call is no longer under way where it was. */
  release(call: FarCall): void;
  inflight(module: string): number;
  close(): void;
}

export function createPeers(options: PeersOptions): Peers {
  const { placements } = options;
  const peers = new Map<string, Peer>();
  const routes = new Map<string, Route>();
  /** Those of a snapshot's list that are healthy. */
  const known = new WeakMap<readonly Endpoint[], readonly Peer[]>();

  const peerOf = (endpoint: Endpoint): Peer => {
    let peer = peers.get(endpoint.host);
    if (!peer) {
      const { id, host } = endpoint;
      peer = { id, host, link: createLink(endpoint, options), inflight: 0, gone: false };
      peers.set(endpoint.host, peer);
    }
    peer.gone = false;
    return peer;
  };

  const peersOf = (endpoints: readonly Endpoint[]): readonly Peer[] => {
    let all = known.get(endpoints);
    if (!all) {
      all = endpoints.filter((one) => one.healthy).map(peerOf);
      known.set(endpoints, all);
    }
    return all;
  };

  const retire = (peer: Peer): void => {
    peers.delete(peer.host);
    peer.link.close();
  };

  const unsubscribe = placements.subscribe((snapshot) => {
    const known = hostsOf(snapshot);
    for (const peer of peers.values()) {
      peer.gone = !known.has(peer.host);
      if (peer.gone && peer.inflight === 0) retire(peer);
    }
  });

  return {
    route(module) {
      let route = routes.get(module);
      if (!route) {
        route = { module, toService: 0, turn: 0 };
        routes.set(module, route);
      }
      return route;
    },
    send(call) {
      const { route } = call.target;
      const candidates = peersOf(candidatesOf(placements.current, route.module, call.side));
      route.turn += 1;
      const peer = pick(candidates, route.turn, call);
      if (!peer) return false;
      call.peer = peer;
      call.servedBy = peer.id;
      peer.inflight += 1;
      if (call.side === 'service') route.toService += 1;
      peer.link.send(call);
      return true;
    },
    release(call) {
      const { peer } = call;
      if (!peer) return;
      call.peer = undefined;
      call.link = undefined;
      peer.inflight -= 1;
      if (call.side === 'service') call.target.route.toService -= 1;
      if (peer.gone && peer.inflight === 0) retire(peer);
    },
    inflight: (module) => routes.get(module)?.toService ?? 0,
    close() {
      unsubscribe();
      for (const peer of peers.values()) peer.link.close();
      peers.clear();
    },
  };
}

function pick(
  candidates: readonly Peer[],
  turn: number,
  { tried, target: { client } }: FarCall,
): Peer | undefined {
  const now = Date.now();
  return leastBusy(candidates, turn, ({ link, inflight }) => {
    if ((client && !link.carriesClients) || !link.usableAt(now) || tried?.has(link))
      return Number.POSITIVE_INFINITY;
    return inflight + (link.suspect ? SUSPECT_PENALTY : 0);
  });
}

function createLink(endpoint: Endpoint, options: PeersOptions): Link {
  const { tokens, calls, maxPayload, heartbeatMs, log, refusals } = options;
  const { url } = endpoint;
  const audience = audienceOf(endpoint.id);
  const token = () => tokens.mint(audience);
  const told = {
    refused: (headers: IncomingHttpHeaders) => {
      const words = refusalInWords(endpoint.id, headers);
      refusals.refused(endpoint.id, words);
      return words;
    },
    accepted: () => refusals.accepted(endpoint.id),
  };
  return endpoint.doors.includes('ws')
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
