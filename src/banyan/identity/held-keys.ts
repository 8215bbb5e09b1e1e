// The private keys of a host, and what it does by them: sign sessions, open what was sealed for a module.
// Guarantees: which key is looked up with every signature, since keys rotate while the host runs; where the newest is not
// here yet, one that is published and held is used, so that nobody waits.
// It must not know where private keys come from.
import type { NamedKey } from './keys.ts';
import { createSessionSigner, type SessionSigner } from './session-token.ts';

export interface Keys {
  /** The private half of a key pair; undefined: it is not here, or not yet. */
  held(kid: string): NamedKey | undefined;
  /** The same, once more asked for where it is not here; undefined: it is not for this host. */
  find(kid: string): Promise<NamedKey | undefined>;
}

type Named = Pick<NamedKey, 'kid'>;

/** The private half of the first that is held. @param published the public ones, the one to use now first. */
export function firstHeld(keys: Keys, published: readonly Named[]): NamedKey | undefined {
  for (const { kid } of published) {
    const held = keys.held(kid);
    if (held) return held;
  }
  return undefined;
}

/** The same, asked for where none is held. */
export async function present(keys: Keys, published: readonly Named[]): Promise<NamedKey | undefined> {
  return firstHeld(keys, published) ?? (published[0] && (await keys.find(published[0].kid)));
}

/** Signs by the key of the moment. @param published the public keys of sessions, as this host knows them now. */
export function createRingSigner(keys: Keys, published: () => readonly Named[]): SessionSigner {
  let signer: { readonly kid: string | undefined; readonly by: SessionSigner } | undefined;
  return {
    async sign(subject) {
      const key = await present(keys, published());
      if (!key) throw new Error('this host was given no key that signs sessions');
      if (signer?.kid !== key.kid) signer = { kid: key.kid, by: createSessionSigner(key) };
      return signer.by.sign(subject);
    },
  };
}
