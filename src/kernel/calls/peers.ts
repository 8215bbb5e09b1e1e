// Whom a call goes to: the processes that serve its module by the snapshot of the moment, the one with the
// fewest calls of ours in flight, in turn where they are equal; who refuses is passed over. Keeps one link per
// process for as long as the snapshot knows it. It does not decide whether a call may be repeated.
import type { IncomingHttpHeaders } from 'node:http';
import type { Logger } from 'pino';
import { type RefusalLog, refusalInWords } from '../identity/hop.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import type { Endpoint, Placements, Snapshot } from '../placement/snapshot.ts';
import type { FarCall, Link } from './far-call.ts';
import { HttpLink } from './http-client.ts';
import { WsLink } from './ws-client.ts';

/** A process, and what this host has under way there. */
export interface Peer {
  readonly id: string;
  readonly host: string;
  readonly link: Link;
  inflight: number;
  /** The snapshot no longer knows it: closed when nothing is under way. */
  gone: boolean;
}

/** The processes of one module, worked out once per snapshot. */
export interface Route {
  readonly module: string;
  snapshot: Snapshot | undefined;
  candidates: readonly Peer[];
  /** The candidates are service processes, not monoliths. */
  service: boolean;
  /** Calls under way on service processes. */
  toService: number;
  turn: number;
}

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

/** More than any number of calls in flight: a suspect process is asked when no other is left. */
const SUSPECT_PENALTY = 1e9;

export function createPeers(options: PeersOptions): Peers {
  const { placements } = options;
  const peers = new Map<string, Peer>();
  const routes = new Map<string, Route>();

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

  const update = (route: Route, snapshot: Snapshot): void => {
    const module = snapshot.modules[route.module];
    route.snapshot = snapshot;
    route.service = module?.placement === 'service';
    const endpoints = route.service ? module!.instances : snapshot.monoliths;
    route.candidates = endpoints.filter((one) => one.healthy).map(peerOf);
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
        route = { module, snapshot: undefined, candidates: [], service: false, toService: 0, turn: 0 };
        routes.set(module, route);
      }
      return route;
    },
    send(call) {
      const { route } = call.target;
      if (route.snapshot !== placements.current) update(route, placements.current);
      const peer = pick(route, call);
      if (!peer) return false;
      call.peer = peer;
      call.servedBy = peer.id;
      call.onService = route.service;
      peer.inflight += 1;
      if (route.service) route.toService += 1;
      peer.link.send(call);
      return true;
    },
    release(call) {
      const { peer } = call;
      if (!peer) return;
      call.peer = undefined;
      call.link = undefined;
      peer.inflight -= 1;
      if (call.onService) call.target.route.toService -= 1;
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

function pick(route: Route, { tried, target: { client } }: FarCall): Peer | undefined {
  const { candidates } = route;
  const { length } = candidates;
  const now = Date.now();
  let best: Peer | undefined;
  let least = Number.POSITIVE_INFINITY;
  route.turn = (route.turn + 1) % (length || 1);
  for (let i = 0; i < length; i += 1) {
    const peer = candidates[(route.turn + i) % length]!;
    if (client && !peer.link.carriesClients) continue;
    const load = peer.inflight + (peer.link.suspect ? SUSPECT_PENALTY : 0);
    if (load < least && peer.link.usableAt(now) && !tried?.has(peer.link)) {
      best = peer;
      least = load;
    }
  }
  return best;
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
