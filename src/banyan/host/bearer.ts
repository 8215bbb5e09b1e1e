// Who a bearer token belongs to: the operator's ADMIN_TOKEN, or a session. The same on the gateway and on every
// service, so that neither can let in whom the other refuses.
import type { JWK } from 'jose';
import type { Principal } from '../context/principal.ts';
import { kernelProblem } from '../contract/problem.ts';
import type { VerifyBearer } from '../http/authenticate.ts';
import { createAdminCheck } from '../identity/admin-token.ts';
import { createSessionVerifier } from '../identity/session-token.ts';
import type { Placements } from '../routing/snapshot.ts';

const operator: Principal = { kind: 'operator' };

/** @param onWrong hears of a token that is neither; what it throws (429) is the answer in place of the 401. */
export function createBearerCheck(
  adminToken: string,
  keys: () => readonly unknown[],
  placements: Placements,
  onWrong: (address: string | undefined) => Promise<void> = async () => {},
): VerifyBearer {
  const isAdmin = createAdminCheck(adminToken);
  const sessions = createSessionVerifier({
    keys: keys as () => readonly JWK[],
    revoked: () => placements.current.revoked,
    refresh: () => placements.refresh(),
  });
  // A session token has dots; an operator's seldom does, and is then told from it without a digest per request.
  const dotted = adminToken.includes('.');
  const refuse = async (address: string | undefined): Promise<never> => {
    await onWrong(address);
    throw kernelProblem('unauthenticated', {
      detail: 'The bearer token is neither a session token nor the ADMIN_TOKEN of this instance.',
    });
  };
  return (token, address) => {
    const isSession = token.includes('.');
    if ((dotted || !isSession) && isAdmin(token)) return operator;
    // A session that has run out is no guess at ADMIN_TOKEN; its head says what it is.
    if (isSession && !(dotted && !token.startsWith('eyJ'))) return sessions.verify(token);
    return refuse(address);
  };
}
