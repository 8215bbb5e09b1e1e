// The handlers of the keys' contract: what the ring shows of itself, and its rotation.
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import { doneBy } from '../context/principal.ts';
import type { Handlers } from '../contract/handlers.ts';
import { problem } from '../contract/problem.ts';
import { generateSigningKey } from '../identity/keys.ts';
import type { RootKey } from '../identity/root-key.ts';
import { storeErrors } from './admin.ts';
import { ACKNOWLEDGE_MS, awaitApplied, poll } from './flip.ts';
import type { Follower } from './follower.ts';
import { keys } from './key-contract.ts';
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

/** What was sent with an old key just before has arrived after this. */
const UNDER_WAY_MS = 1_000;

/** So long monoliths have to replace the processes that they gave an old key to. */
const REPLACED_MS = 60_000;

/**
 * Old internal keys end here, once nobody speaks by them: monoliths sign by the new ones, and each process that was
 * started with an old one has been replaced by one with a new one. Answers the ids of those that were not in time.
 */
async function endOld(store: ControlStore, follower: Follower): Promise<string[]> {
  const old = async () => {
    const { hosts, services, keys: published } = await store.read();
    const present = new Set(published.map(({ public: key }) => key.kid));
    const retired = new Set((await store.keys.list()).filter((key) => key.retiredAt).map(({ kid }) => kid));
    const ours = new Set(services.map(({ module, number }) => `${module}-${number}`));
    return hosts
      .filter(
        ({ id, role, live, kid }) =>
          role === 'service' &&
          live &&
          ours.has(id) &&
          kid !== null &&
          (retired.has(kid) || !present.has(kid)),
      )
      .map(({ id }) => id);
  };
  await pause(UNDER_WAY_MS);
  await poll(REPLACED_MS, async () => (await old()).length === 0);
  const outgoing = await old();
  await store.keys.forget();
  await awaitApplied(store, (await follower.refresh()).version, ACKNOWLEDGE_MS);
  return outgoing;
}

export function keyHandlers({ store, follower, root, life, log }: KeyHandlersOptions): Handlers<typeof keys> {
  return {
    list: async () => storeErrors(async () => ({ items: await store.keys.list() })),

    rotate: async ({ purpose, changedBy }, call) =>
      storeErrors(async () => {
        const by = doneBy(call.principal, changedBy);
        const { rotated, settled, lagging } = await rotate(store, follower, root, purpose, life, by);
        const outgoing = settled && purpose === 'internal' ? await endOld(store, follower) : [];
        const items = (await store.keys.list()).filter((key) => key.purpose === purpose);
        call.change = { after: { purpose, rotated, present: items.find((key) => !key.retiredAt)?.kid } };
        log.info({ purpose, by, rotated, lagging }, 'keys are rotated');
        const late = { ...(lagging.length > 0 && { lagging: [...lagging] }) };
        return { items, rotated, ...late, ...(outgoing.length > 0 && { outgoing }) };
      }),

    issue: async ({ name, modules = [name], changedBy }, call) =>
      storeErrors(async () => {
        const { placements } = await store.read();
        const known = placements.map(({ module }) => module);
        const unknown = [name, ...modules].find((one) => !known.includes(one));
        if (unknown !== undefined)
          throw problem(keys, 'module-unknown', {
            detail: `There is no module ${unknown}: a service has the name of a module that it runs. There are: ${known.join(', ')}.`,
          });
        const all = [...new Set([name, ...modules])];
        const key = generateSigningKey();
        const by = doneBy(call.principal, changedBy);
        await store.keys.issue(name, all, key, by);
        await follower.refresh();
        call.change = { after: { kid: key.kid, name, modules: all } };
        log.info({ kid: key.kid, name, modules: all, by }, 'a key is issued');
        const { kid, kty, crv, x, d } = key;
        return { kid, name, modules: all, key: { kid, kty: kty!, crv: crv!, x: x!, d: d! } };
      }),

    revoke: async ({ kid, changedBy }, call) =>
      storeErrors(async () => {
        const by = doneBy(call.principal, changedBy);
        const { outcome, version } = await store.keys.revoke(kid, by);
        if (outcome === 'unknown')
          throw problem(keys, 'key-unknown', {
            detail: `There is no internal key ${kid}. \`npx banyan keys\` lists them.`,
          });
        if (outcome === 'present')
          throw problem(keys, 'key-present', {
            detail: `${kid} is a key that monoliths give to services now. \`npx banyan keys rotate internal\` replaces it, and ends it.`,
          });
        await follower.refresh();
        const lagging = await awaitApplied(store, version, ACKNOWLEDGE_MS);
        log.info({ kid, by, lagging }, 'a key is revoked');
        return { kid, ...(lagging.length > 0 && { lagging }) };
      }),
  };
}
