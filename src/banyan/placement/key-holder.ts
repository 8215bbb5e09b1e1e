// The private keys in the memory of a host, kept up to the picture it follows: where that names one that is not here,
// whoever has them is asked again. Guarantees: a key that has left the ring leaves this host with the next load; one that
// is not for this host is asked for once and no more.
// Whom it asks (the ring itself, or control over HTTP) is told from outside.
import type { Logger } from 'pino';
import type { Keys } from '../identity/held-keys.ts';
import type { NamedKey } from '../identity/keys.ts';
import type { Placements, Snapshot } from '../routing/snapshot.ts';
import { coalesced } from './follower.ts';

export interface KeyHolder extends Keys {
  /** Takes what was loaded otherwise. */
  put(keys: readonly NamedKey[]): void;
  /** Loads what the present picture names, and follows it from then on. */
  follow(placements: Placements): Promise<void>;
}

export interface KeyHolderOptions {
  /** All private keys for this host. */
  readonly load: () => Promise<readonly NamedKey[]>;
  /** The keys of a picture whose private halves are for this host. */
  readonly wanted: (snapshot: Snapshot) => readonly Pick<NamedKey, 'kid'>[];
  readonly log: Logger;
}

export function createKeyHolder({ load, wanted, log }: KeyHolderOptions): KeyHolder {
  let held = new Map<string, NamedKey>();
  let foreign = new Set<string>();
  const put = (keys: readonly NamedKey[]) => {
    held = new Map(keys.map((key) => [key.kid, key]));
  };
  const reload = coalesced(async () => put(await load()));

  const lacking = (snapshot: Snapshot) =>
    wanted(snapshot).filter(({ kid }) => !held.has(kid) && !foreign.has(kid));

  const catchUp = async (snapshot: Snapshot) => {
    const missing = lacking(snapshot);
    if (missing.length === 0) return;
    await reload();
    foreign = new Set([...foreign, ...missing.map(({ kid }) => kid)].filter((kid) => !held.has(kid)));
  };

  const soon = (snapshot: Snapshot) =>
    void catchUp(snapshot).catch((error: Error) =>
      log.warn({ error: error.message }, 'private keys could not be loaded; they are asked for when needed'),
    );

  return {
    put,
    held: (kid) => held.get(kid),
    async find(kid) {
      if (!held.has(kid)) await reload();
      return held.get(kid);
    },
    async follow(placements) {
      placements.subscribe(soon);
      await catchUp(placements.current);
    },
  };
}
