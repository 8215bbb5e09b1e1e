// What the console is given by the host that serves it. Everything is read when it is needed, so that a console that nobody
// asks for costs the host nothing. It knows no module by name, and nothing of how a host is put together.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Dispatcher } from '../calls/dispatcher.ts';
import type { Contract } from '../contract/contract.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import type { Networks } from '../limits/networks.ts';
import type { Follower } from '../placement/follower.ts';
import type { ControlStore } from '../placement/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';

export interface ConsoleParts {
  readonly product: { readonly title: string; readonly version: string };
  /** Where it is: `/console`, or what CONSOLE says. */
  readonly prefix: string;
  /** This process, in the registry; null: it is a gateway alone, which runs no module and has no module's store. */
  readonly host: string | null;
  /** Of every module of the product, near or not. */
  readonly contracts: readonly Contract[];
  /** The operations under /admin that the host itself answers. */
  readonly own: readonly Dispatcher[];
  /** The dispatchers of the modules that run here: what they have under /admin is forwarded as well. */
  readonly local: ReadonlyMap<string, Dispatcher>;
  readonly placements: Follower;
  readonly store: ControlStore;
  readonly tokens: InternalTokens;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly security: SecurityLog;
  /** Who holds a bearer token; counts what is nobody's. */
  readonly verifyBearer: VerifyBearer;
  readonly adminToken: string;
  readonly rootKey: string;
  /** Proxies that are believed about their clients; undefined: none. */
  readonly proxies: Networks | undefined;
  /** Aborted when the host stops to answer: streams end. */
  readonly closing: AbortSignal;
  /** Has the host's own router answer: what is asked under /admin is the same there as with a bearer token. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}
