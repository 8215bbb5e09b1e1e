// When a host does not let another one in: the marker by which its 401 is told from one to a client, the words for the
// cause, and one line in the log per host and cause. A hop's own credentials are no business of the client, who gets a
// 502 or 503 with these words. Clocks are compared by the Date of the answer, which any HTTP server sends.
// It knows neither routes nor placements.
import type { Logger } from 'pino';
import { request } from 'undici';
import { libraryProblem, Problem } from '../contract/problem.ts';

/** Header of a 401 to an internal token: why. A service in another language may send it, and need not. */
export const REFUSAL_HEADER = 'x-internal-refusal';

/** What is wrong with the token, by who looked at it. `key`: it is not known; `legacy`: it is of the version before. */
export type RefusalReason = 'missing' | 'expired' | 'early' | 'audience' | 'signature' | 'key' | 'legacy';

/** Two clocks may differ by so much: a token is renewed a minute before its end, and 30 s are let pass. */
export const CLOCKS_MS = 90_000;

/** The 401 to a host; its reason becomes the header. */
export class TokenRefused extends Problem {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail: string, cause?: unknown) {
    super(libraryProblem('unauthenticated', { detail }).body, { cause });
    this.reason = reason;
  }
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** The 401 is to the internal token, by its own word. */
export function isRefusal(headers: Headers): boolean {
  return headers[REFUSAL_HEADER] !== undefined;
}

/** How far the clock of who answered is ahead of ours, by whole seconds; undefined where it does not say. */
export function clockAhead({ date }: Headers): number | undefined {
  const theirs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
  return Number.isNaN(theirs) ? undefined : theirs - Date.now();
}

/** Whether the clocks alone explain that a token is refused. */
export function clocksDiffer(headers: Headers): boolean {
  return Math.abs(clockAhead(headers) ?? 0) > CLOCKS_MS;
}

const causes: Readonly<Record<string, string>> = {
  audience: 'it goes by another name than the registry says',
  key: 'it does not know the key of this host, which was revoked or is of another installation; `npx banyan keys` lists them',
  legacy:
    'this host is of the version before; start all hosts from one version, or set INTERNAL_KEY_LEGACY=1 while they are mixed',
  signature:
    'it cannot verify the token: SERVICE_KEY is of another service than INSTANCE_ID says; or one of the two is of the version before, which needs INTERNAL_KEY_LEGACY=1 on the others, and their INTERNAL_KEY',
};

/** Why `who` answered 401 to a token of ours, and what to do. */
export function refusalInWords(who: string, headers: Headers): string {
  const reason = headers[REFUSAL_HEADER];
  const ahead = clockAhead(headers) ?? 0;
  const refused = `${who} refuses the internal token of this host (401)`;
  if (clocksDiffer(headers)) {
    const seconds = Math.round(Math.abs(ahead) / 1000);
    return `${refused}: its clock is ${seconds} s ${ahead > 0 ? 'ahead of' : 'behind'} the clock here, and they may differ by ${CLOCKS_MS / 1000} s; set both by NTP`;
  }
  if (reason === 'expired' || reason === 'early')
    return `${refused}: by its clock the token ${reason === 'early' ? 'is not valid yet' : 'has expired'}; set the clocks of both hosts by NTP`;
  const known = typeof reason === 'string' ? causes[reason] : undefined;
  return known
    ? `${refused}: ${known}`
    : `${refused} and does not say why: it must know the key of this host, and the clocks must agree`;
}

/** Seconds between two clocks differ by one from answer to answer: that is the same cause. */
export function sameCause(one: string | undefined, other: string): boolean {
  const cause = (words: string) => words.replace(/\d+ s /, '');
  return one !== undefined && cause(one) === cause(other);
}

/** One line for each host and cause; again when the cause is another, and one when it is over. */
export class RefusalLog {
  readonly #log: Pick<Logger, 'warn'>;
  readonly #logged = new Map<string, string>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  refused(host: string, words: string): void {
    if (sameCause(this.#logged.get(host), words)) return;
    this.#logged.set(host, words);
    this.#log.warn({ refusedBy: host }, words);
  }

  accepted(host: string): void {
    if (this.#logged.delete(host))
      this.#log.warn({ refusedBy: host }, `${host} takes the internal token again`);
  }
}

export interface AccessProbe {
  /** Undefined: nobody answers. */
  readonly status: number | undefined;
  /** Why the token was refused, in words; undefined: it was not, or nobody answered. */
  readonly refusal: string | undefined;
}

/** Anything under it wants an internal token, so that any status but 401 says that the token was taken. */
const PROBE_PATH = '/calls';
const PROBE_MS = 1_000;

/** An authenticated round trip to a host, in any language: whether it lets us in. Never rejects. */
export async function probeAccess(
  url: string,
  who: string,
  token: string | Promise<string>,
): Promise<AccessProbe> {
  try {
    const made = await token;
    const { statusCode, headers, body } = await request(`${url}${PROBE_PATH}`, {
      headers: { authorization: `Bearer ${made}`, 'x-internal-token': made },
      signal: AbortSignal.timeout(PROBE_MS),
    });
    await body.dump();
    return { status: statusCode, refusal: statusCode === 401 ? refusalInWords(who, headers) : undefined };
  } catch {
    return { status: undefined, refusal: undefined };
  }
}
