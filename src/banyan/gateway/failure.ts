// Why a process gave no answer: what that says of the request that was sent to it (never begun, perhaps begun,
// answered with nonsense), and the problem that the client gets when no other process may be asked. It knows codes and
// words alone.
import { libraryProblem, ModuleUnavailable, type Problem } from '../contract/problem.ts';
import { wasNothingSent } from '../routing/failover.ts';
import type { Instance } from '../routing/snapshot.ts';
import { REFUSED } from './unexpected.ts';
import { SILENT, STRANGER } from './upstream-connections.ts';

export interface Failure {
  readonly code: string;
  /** The process takes nothing from this host: no connection, or no token. The request was not begun. */
  readonly refused: boolean;
  /** The connection was lost under the request, which may have been begun. */
  readonly lost: boolean;
}

export function failureOf(error: Error): Failure {
  const code = codeOf(error);
  const refused = wasNothingSent(code) || code === STRANGER || code === REFUSED;
  const lost = code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE' || code === SILENT;
  return { code, refused, lost };
}

/** For the client, when the request goes to nobody else. */
export function problemOf({ code }: Failure, { id }: Instance, module: string): Problem {
  if (isBadAnswer(code)) {
    const detail = `What ${module} answered is not valid HTTP/1.1, or has more than 32 kB of headers.`;
    return libraryProblem('bad-gateway', { detail });
  }
  if (code.endsWith('TIMEOUT'))
    return libraryProblem('deadline-exceeded', { detail: `${module} did not answer in time.` });
  return new ModuleUnavailable(module, `${id} lost the connection while it worked on the request.`);
}

const BAD_ANSWER = 'HPE_UNKNOWN';

/** What came back is no answer, though it came: whoever else is asked would say the same. */
function isBadAnswer(code: string): boolean {
  return (
    code.startsWith('HPE_') ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  );
}

function codeOf(error: unknown): string {
  for (
    let at = error as { name?: string; code?: string; cause?: unknown; errors?: unknown[] } | undefined;
    at;
    at = at.cause as typeof at
  ) {
    if (at.code && !at.code.startsWith('FST_')) return at.code;
    // Of some breaches undici's parser knows no code.
    if (at.name === 'HTTPParserError') return BAD_ANSWER;
    const first = at.errors?.[0] as { code?: string } | undefined;
    if (first?.code) return first.code;
  }
  return 'unknown';
}
