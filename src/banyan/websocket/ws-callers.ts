// On whose behalf the calls of one connection are made: of a module that the host at its other end speaks for, or of a
// client, by the client's own credentials, where that host is a gateway. Whose the token of the handshake was decides
// both; what a frame says of it is compared, and not believed. It knows nothing of what they ask for.

import { principalFrom } from '../calls/shadow.ts';
import { anonymous, type Principal } from '../context/principal.ts';
import { libraryProblem } from '../contract/problem.ts';
import { bearerIn, type VerifyBearer } from '../http/authenticate.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { Rights } from '../identity/rights.ts';

/** The names come from hosts that are let in; the bound is for bugs. */
const MAX_NAMES = 1000;

export class Callers {
  readonly #host: InternalCaller;
  readonly #rights: Rights;
  readonly #verify: VerifyBearer | undefined;
  readonly #modules = new Map<string, Principal>();

  /** @param host whom the handshake named: the caller where a frame names no module. */
  constructor(host: InternalCaller, rights: Rights, verify: VerifyBearer | undefined) {
    this.#host = host;
    this.#rights = rights;
    this.#verify = verify;
  }

  /** Who asks for an operation of `module`: one object per calling module, not per call. Throws the 403 problem. */
  module(caller: unknown, module: string): Principal {
    const name = typeof caller === 'string' ? caller : this.#host.caller;
    const refused = this.#rights.refusalOfCall(this.#host, module);
    if (refused) throw refused;
    let principal = this.#modules.get(name);
    if (!principal) {
      const notTheirs = this.#rights.refusalOfName(this.#host, name);
      if (notTheirs) throw notTheirs;
      principal = { kind: 'module', name };
      if (this.#modules.size < MAX_NAMES) this.#modules.set(name, principal);
    }
    return principal;
  }

  /** Throws the 403 problem where a call says that it is part of a replay, which publishes nothing, and may not say so. */
  replay(caller: unknown): void {
    const refused = this.#rights.refusalOfReplay(
      this.#host,
      typeof caller === 'string' ? caller : this.#host.caller,
    );
    if (refused) throw refused;
  }

  /** Of whose request a shadow is, as a monolith says. Throws the 403 problem for any other host, and the 400 one for nobody. */
  shadowed(said: unknown): Principal {
    const refused = this.#rights.refusalOfClient(this.#host);
    if (refused) throw refused;
    const principal = principalFrom(said);
    if (principal) return principal;
    throw libraryProblem('malformed', { detail: 'params.principal names nobody.' });
  }

  /** Undefined where the HTTP door should look: it has the time to verify a token that is new here. Throws the 403 problem. */
  client(authorization: unknown): Principal | undefined {
    const refused = this.#rights.refusalOfClient(this.#host);
    if (refused) throw refused;
    if (!this.#verify) return undefined;
    if (authorization === undefined) return anonymous;
    const token = typeof authorization === 'string' ? bearerIn(authorization) : undefined;
    if (token === undefined) return undefined;
    const verified = this.#verify(token);
    if (!(verified instanceof Promise)) return verified;
    verified.catch(() => {});
    return undefined;
  }
}
