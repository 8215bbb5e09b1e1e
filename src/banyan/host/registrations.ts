// Who enters the registry, in the security log: by whose key, as which host, reached where; and who is kept out because the
// id is taken or the contract breaks its callers. What is another service's to say is refused by the port (http/refusals.ts).
import { Problem } from '../contract/problem.ts';
import type { InternalCaller } from '../identity/internal-token.ts';
import type { SecurityLog } from '../telemetry/security-log.ts';

type Sync = (body: unknown, caller: InternalCaller) => Promise<unknown>;

export function noteRegistrations(sync: Sync, security: SecurityLog): Sync {
  return async (body, caller) => {
    const said = (body as { register?: { id?: unknown; url?: unknown } } | null)?.register;
    if (typeof said !== 'object' || said === null) return sync(body, caller);
    const actor = { kind: 'service', name: caller.caller } as const;
    const event = { event: 'service.register', actor } as const;
    try {
      const answer = await sync(body, caller);
      security.write({ ...event, outcome: 'ok', target: String(said.id), after: { url: said.url } });
      return answer;
    } catch (error) {
      if (error instanceof Problem && error.status === 409)
        security.write({ ...event, outcome: 'refused', claimed: String(said.id), reason: error.message });
      throw error;
    }
  };
}
