// Who a bearer token belongs to: an operator (ADMIN_TOKEN, or a token made here), or a session. The same on the gateway and
// on every service, so that neither can let in whom the other refuses. A service knows tokens of operators by the hashes in
// the picture alone. Guarantee: an operator who leaves the picture is refused from the next request on.
import type { JWK } from 'jose';
import { firstOperator, type Operator, type Principal } from '../context/principal.ts';
import { libraryProblem } from '../contract/problem.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import {
  createAdminCheck,
  createSlowCheck,
  hashOfToken,
  isOperatorToken,
} from '../identity/operator-token.ts';
import { createSessionVerifier } from '../identity/session-token.ts';
import type { OperatorKnown, Placements } from '../routing/snapshot.ts';

export interface BearerOptions {
  /** Undefined: a service, which knows its hash. */
  readonly adminToken: string | undefined;
  /** The public keys of sessions. */
  readonly keys: () => readonly unknown[];
  readonly placements: Placements;
  /** Hears of a token that is nobody's; what it throws (429) is the answer in place of the 401. */
  readonly onWrong?: (address: string | undefined) => Promise<void>;
}

const none = {};

export function createBearerCheck(options: BearerOptions): VerifyBearer {
  const { adminToken, keys, placements, onWrong = async () => {} } = options;
  const isAdmin = adminToken === undefined ? undefined : createAdminCheck(adminToken);
  const operators = createOperatorLookup(placements);
  const sessions = createSessionVerifier({
    keys: keys as () => readonly JWK[],
    revoked: () => placements.current.revoked,
    refresh: () => placements.refresh(),
    ended: () => placements.current.revokedSessions ?? none,
  });
  // A session token has dots; an operator's seldom does, and is then told from it without a digest per request. A service
  // does not know whether ADMIN_TOKEN has; what begins as a session does is none (config/values.ts).
  const dotted = adminToken?.includes('.') ?? true;
  const refuse = async (address: string | undefined): Promise<never> => {
    await onWrong(address);
    throw libraryProblem('unauthenticated', {
      detail:
        'The bearer token is neither a session token nor the ADMIN_TOKEN of this instance, nor the token of an operator.',
    });
  };
  return (token, address) => {
    const isSession = token.includes('.');
    if (isAdmin && (dotted || !isSession) && isAdmin(token)) return firstOperator;
    // A session that has run out is no guess at ADMIN_TOKEN; its head says what it is.
    if (isSession && !(dotted && !token.startsWith('eyJ'))) return sessions.verify(token);
    const operator = operators.byToken(token);
    if (operator) return operator;
    if (isAdmin || isOperatorToken(token)) return refuse(address);
    return operators.first(token).then((first) => first ?? refuse(address));
  };
}

/** The operators of the picture of the moment, by what their tokens are recognised by. */
function createOperatorLookup(placements: Placements) {
  const fits = createSlowCheck();
  let seen: readonly OperatorKnown[] | undefined;
  let known = new Map<string, Operator>();
  const look = (): Map<string, Operator> => {
    const { operators = [] } = placements.current;
    if (operators !== seen) {
      seen = operators;
      known = new Map(operators.map(({ hash, name, scopes }) => [hash, { kind: 'operator', name, scopes }]));
    }
    return known;
  };
  return {
    byToken: (token: string): Operator | undefined =>
      isOperatorToken(token) ? look().get(hashOfToken(token)) : undefined,

    /** Who holds ADMIN_TOKEN, where only its hash is known. */
    async first(token: string): Promise<Principal | undefined> {
      for (const [hash, operator] of look())
        if (hash.startsWith('scrypt:') && (await fits(token, hash))) return operator;
      return undefined;
    },
  };
}
