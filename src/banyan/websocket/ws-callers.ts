// On whose behalf the calls of one connection are made: of modules of the host that connected, by the name that the
// frame says, or of a client, by the client's own credentials. It knows nothing of what they ask for.
import { anonymous, type Principal } from '../context/principal.ts';
import { bearerIn, type VerifyBearer } from '../http/authenticate.ts';

/** The names come from a trusted host; the bound is for bugs. */
const MAX_NAMES = 1000;

export class Callers {
  readonly #host: string;
  readonly #verify: VerifyBearer | undefined;
  readonly #modules = new Map<string, Principal>();

  /** @param host whom the handshake named: the caller where a frame names no module. */
  constructor(host: string, verify: VerifyBearer | undefined) {
    this.#host = host;
    this.#verify = verify;
  }

  /** One object per calling module, not per call. */
  module(caller: unknown): Principal {
    const name = typeof caller === 'string' ? caller : this.#host;
    let principal = this.#modules.get(name);
    if (!principal) {
      principal = { kind: 'module', name };
      if (this.#modules.size < MAX_NAMES) this.#modules.set(name, principal);
    }
    return principal;
  }

  /** Undefined where the HTTP door should look: it has the time to verify a token that is new here. */
  client(authorization: unknown): Principal | undefined {
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
