// What a module does by keys, as its kit has it: it signs and ends sessions if it is the one that does, seals texts for others,
// and opens what was sealed for itself. Guarantees: it opens by its own keys alone, whatever else this host holds.
import { createRingSigner, type Keys } from '../identity/held-keys.ts';
import type { NamedKey } from '../identity/keys.ts';
import { SealBroken, sealText, unsealText } from '../identity/seal.ts';
import { sealsOf } from '../placement/control-keys.ts';
import { createSessionEnds } from '../placement/session-ends.ts';
import type { Placements } from '../routing/snapshot.ts';
import type { BootOptions } from './boot-options.ts';
import type { Kit } from './module.ts';

const noKeys: Keys = { held: () => undefined, find: async () => undefined };

export function moduleKeys(
  module: string,
  { keys = noKeys, placements, signsSessions = false }: BootOptions,
  onSessionsEnded?: () => void,
): Pick<Kit, 'sessions' | 'sealFor' | 'opensSeals' | 'unseal'> {
  return {
    sessions: signsSessions
      ? {
          ...createRingSigner(keys, () => placements.current.jwks?.keys ?? []),
          ...createSessionEnds(onSessionsEnded),
        }
      : noSessions(module),

    sealFor: (whom) => async (text) => {
      const key = (await published(placements, whom))[0];
      if (!key) throw new Error(`no key is known that seals for ${whom}: is that a module of the product?`);
      return sealText(text, key);
    },

    opensSeals: (whom) => {
      const { modules, monoliths } = placements.current;
      const hosts = [...monoliths, ...(modules[whom]?.instances ?? [])];
      return !hosts.some(({ legacy, healthy }) => legacy && healthy);
    },

    unseal: (text) => unsealText(text, (kid) => ownKey(keys, placements, module, kid)),
  };
}

function noSessions(module: string): Kit['sessions'] {
  const refuse = () => {
    throw new Error(`${module} signs no sessions: name it in "sessions" of the product`);
  };
  return { sign: async () => refuse(), endAll: refuse, end: refuse };
}

async function published(placements: Placements, module: string): Promise<readonly NamedKey[]> {
  const known = sealsOf(placements.current, module);
  return known.length > 0 ? known : sealsOf(await placements.refresh(), module);
}

/** The picture may be older than the key. */
async function ownKey(
  keys: Keys,
  placements: Placements,
  module: string,
  kid: string,
): Promise<NamedKey | undefined> {
  const isOwn = (snapshot: Placements['current']) => sealsOf(snapshot, module).some((one) => one.kid === kid);
  if (!isOwn(placements.current) && !isOwn(await placements.refresh()))
    throw new SealBroken(`it is not for ${module}, or its key ${kid} has gone`);
  return keys.held(kid) ?? keys.find(kid);
}
