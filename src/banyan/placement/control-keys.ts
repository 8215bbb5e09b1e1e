// How a service gets the private keys of its own modules, and no others: one POST to the internal port of any monolith.
// Here: what is answered to whom, and how a service asks. It is told who asks by the token that let them in.
import { request } from 'undici';
import { libraryProblem } from '../contract/problem.ts';
import type { Keys } from '../identity/held-keys.ts';
import { CONTROL_AUDIENCE, type InternalCaller, MONOLITH } from '../identity/internal-token.ts';
import type { NamedKey } from '../identity/keys.ts';
import { knownBy } from '../identity/known-keys.ts';
import type { Placements, PublicKey, Snapshot } from '../routing/snapshot.ts';
import { own } from './canonical.ts';

/** On the internal port; its tokens have the audience CONTROL_AUDIENCE. */
export const KEYS_PATH = '/control/keys';

/** Private keys as JWK. What is not the caller's is absent. */
export interface KeysAnswer {
  /** `sign` is the present one; the others are announced, or old. */
  readonly sessions?: { readonly sign: NamedKey; readonly others: readonly NamedKey[] };
  /** By module; the first is the one that texts are sealed for now. */
  readonly seals?: Readonly<Record<string, readonly NamedKey[]>>;
}

export type KeysHandler = (who: InternalCaller) => Promise<KeysAnswer>;

/** @param signer the module that signs sessions. */
export function createKeysHandler(
  keys: Keys,
  placements: Placements,
  signer: string | undefined,
): KeysHandler {
  const privateOf = async (published: readonly PublicKey[]): Promise<NamedKey[]> => {
    const found = await Promise.all(published.map(({ kid }) => keys.find(kid)));
    return found.filter((key) => key !== undefined);
  };
  return async ({ caller, kid }) => {
    const { current } = placements;
    // By the key that all hosts of the version before shared anybody could be any service.
    const modules =
      caller === MONOLITH || kid === undefined
        ? undefined
        : knownBy(current.services ?? {}, { caller, kid })?.modules;
    if (!modules)
      throw libraryProblem('forbidden', { detail: `No service ${caller} has keys that are handed out.` });
    const sealed = await Promise.all(
      modules.map(async (module) => [module, await privateOf(sealsOf(current, module))] as const),
    );
    const answer: KeysAnswer = { seals: Object.fromEntries(sealed) };
    if (signer === undefined || !modules.includes(signer)) return answer;
    const [sign, ...others] = await privateOf(current.jwks?.keys ?? []);
    return sign ? { ...answer, sessions: { sign, others } } : answer;
  };
}

export const sealsOf = ({ seals = {} }: Snapshot, module: string): readonly PublicKey[] =>
  own(seals, module) ?? [];

const TIMEOUT_MS = 2_000;

/** Asks one monolith after the other. Rejects with what the last of them said. */
export async function fetchKeys(
  targets: readonly string[],
  token: (audience: string) => string | Promise<string>,
): Promise<NamedKey[]> {
  let failure: unknown;
  for (const target of targets) {
    try {
      return await ask(target, await token(CONTROL_AUDIENCE));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function ask(target: string, token: string): Promise<NamedKey[]> {
  const { statusCode, body } = await request(`${target}${KEYS_PATH}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  // Never part of an error: a 200 holds private keys.
  const text = await body.text();
  if (statusCode !== 200) throw new Error(`${target}${KEYS_PATH} answered ${statusCode}`);
  const { sessions, seals = {} } = JSON.parse(text) as KeysAnswer;
  return [...(sessions ? [sessions.sign, ...sessions.others] : []), ...Object.values(seals).flat()];
}
