// The handlers of the keys' contract: what the ring shows of itself, and its rotation.
import type { Logger } from 'pino';
import type { Handlers } from '../contract/handlers.ts';
import type { RootKey } from '../identity/root-key.ts';
import { storeErrors } from './admin.ts';
import type { Follower } from './follower.ts';
import type { keys } from './key-contract.ts';
import { rotate } from './key-rotation.ts';
import type { KeyLife } from './key-turns.ts';
import type { ControlStore } from './store.ts';

export interface KeyHandlersOptions {
  readonly store: ControlStore;
  readonly follower: Follower;
  readonly root: RootKey;
  readonly life: KeyLife;
  readonly log: Logger;
}

export function keyHandlers({ store, follower, root, life, log }: KeyHandlersOptions): Handlers<typeof keys> {
  return {
    list: async () => storeErrors(async () => ({ items: await store.keys.list() })),

    rotate: async ({ purpose, changedBy = 'operator' }) =>
      storeErrors(async () => {
        const { rotated, lagging } = await rotate(store, follower, root, purpose, life);
        const items = (await store.keys.list()).filter((key) => key.purpose === purpose);
        log.info({ purpose, by: changedBy, rotated, lagging }, 'keys are rotated');
        return { items, rotated, ...(lagging.length > 0 && { lagging: [...lagging] }) };
      }),
  };
}
