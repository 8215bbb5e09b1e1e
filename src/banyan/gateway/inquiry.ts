// What a gateway asks a process itself, in a request of its own: whether it lets this host in, and whether it can
// serve. Guarantees: one question at a time to a process; whoever asks meanwhile shares the one after it, since a
// verdict may be new. What follows from an answer is held-out.ts.
import { request } from 'undici';
import { probeAccess } from '../identity/hop.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import type { Instance } from '../routing/snapshot.ts';

interface Asking {
  readonly now: Promise<string | undefined>;
  next?: Promise<string | undefined>;
}

export class Inquiry {
  readonly #tokens: InternalTokens;
  readonly #asking = new Map<string, Asking>();

  constructor(tokens: InternalTokens) {
    this.#tokens = tokens;
  }

  /** Why the process does not let this host in, in words, by a question that is put from now on; undefined: it does. */
  async refusal(instance: Instance): Promise<string | undefined> {
    const { host } = instance;
    const known = this.#asking.get(host);
    if (known) {
      known.next ??= known.now.then(() => this.refusal(instance));
      return known.next;
    }
    const now = this.#ask(instance);
    this.#asking.set(host, { now });
    const answer = await now;
    this.#asking.delete(host);
    return answer;
  }

  async #ask({ id, url, legacy }: Instance): Promise<string | undefined> {
    return (await probeAccess(url, id, this.#tokens.mint(audienceOf(id), legacy))).refusal;
  }
}

/** Why it cannot serve, in words; undefined: it can, or it has no such page. */
export async function unready({ id, url }: Instance): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(1000);
    const { statusCode, body } = await request(`${url}/health/ready`, { signal });
    await body.dump();
    // 401: a service that wants a token for this page as well; the next question brings one.
    if (statusCode === 200 || (statusCode >= 400 && statusCode < 500) || statusCode === 501) return undefined;
    return `${id} answers ${statusCode} to GET /health/ready`;
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return `${id} does not answer at ${url} (${code ?? name})`;
  }
}
