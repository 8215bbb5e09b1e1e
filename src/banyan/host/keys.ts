// Where the private keys of this host come from: the ring in the control store for monoliths and gateways, control over
// HTTP for services. A wrong root key ends the start before anything is made.
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import type { InternalTokens } from '../identity/internal-token.ts';
import { createRootKey, type RootKey } from '../identity/root-key.ts';
import { fetchKeys, sealsOf } from '../placement/control-keys.ts';
import type { Follower } from '../placement/follower.ts';
import { createKeyHolder, type KeyHolder } from '../placement/key-holder.ts';
import type { ControlStore } from '../placement/store.ts';
import { keyLife } from './key-life.ts';
import type { Module } from './module.ts';

export interface HostKeys extends KeyHolder {
  /** What opens and seals the ring; undefined on a service. */
  readonly root: RootKey | undefined;
  /** Before the first picture: makes the ring where it is this host's to make, and reads it. */
  open(): Promise<void>;
  /** Old keys go when their time is over. Never throws. */
  sweep(): Promise<void>;
}

/** Of a monolith or a gateway. @param modules those that run here; a monolith's are all. */
export function openRingKeys(
  { app, role, rootKey, signingKey }: Settings,
  { keys }: ControlStore,
  modules: readonly Module[],
  log: Logger,
): HostKeys {
  const root = createRootKey(rootKey!);
  const holder = createKeyHolder({
    load: () => keys.read(root),
    wanted: ({ jwks, seals = {}, services = {} }) => [
      ...(jwks?.keys ?? []),
      ...Object.values(seals).flat(),
      ...Object.values(services).flatMap((one) => one.keys),
    ],
    log,
  });
  const content = {
    modules: Object.fromEntries(
      modules.map(({ contract, uses = [] }) => [contract.module, uses.map(({ module }) => module)]),
    ),
    signer: app.sessions?.module,
    imported: signingKey,
  };
  return {
    ...holder,
    root,
    async open() {
      holder.put(await (role === 'monolith' ? keys.open(root, content) : keys.read(root)));
    },
    sweep: () =>
      keys.sweep(keyLife).catch((error: Error) => {
        log.debug({ error: error.message }, 'old keys could not be swept');
      }),
  };
}

/** Of a service: the keys of its own modules. */
export function openToldKeys(
  { app, modules, controlUrl }: Settings,
  follower: Follower,
  tokens: InternalTokens,
  log: Logger,
): HostKeys {
  const signs = modules.includes(app.sessions?.module ?? '');
  const targets = () => [...new Set([controlUrl!, ...follower.current.monoliths.map(({ url }) => url)])];
  const holder = createKeyHolder({
    load: () => fetchKeys(targets(), (audience) => tokens.mint(audience)),
    wanted: (snapshot) => [
      ...(signs ? (snapshot.jwks?.keys ?? []) : []),
      ...modules.flatMap((module) => sealsOf(snapshot, module)),
    ],
    log,
  });
  return { ...holder, root: undefined, open: async () => {}, sweep: async () => {} };
}
