// The handlers of the operators' contract. They answer when every live host goes by the change, as a flip does.
import { doneBy, firstOperator } from '../context/principal.ts';
import { scopes } from '../context/scopes.ts';
import type { Handlers } from '../contract/handlers.ts';
import { problem } from '../contract/problem.ts';
import { hashOfToken, makeOperatorToken } from '../identity/operator-token.ts';
import { storeErrors } from './admin.ts';
import { ACKNOWLEDGE_MS, awaitApplied } from './flip.ts';
import type { Follower } from './follower.ts';
import { operators } from './operators-contract.ts';
import type { ControlStore } from './store.ts';

export interface OperatorsOptions {
  readonly store: ControlStore;
  readonly follower: Follower;
}

export function operatorHandlers({ store, follower }: OperatorsOptions): Handlers<typeof operators> {
  /** The hosts that do not go by it yet. */
  const applied = async (version: number) => {
    await follower.refresh();
    const lagging = await awaitApplied(store, version, ACKNOWLEDGE_MS);
    return lagging.length > 0 ? { lagging } : {};
  };

  return {
    list: async () =>
      storeErrors(async () => ({
        items: (await store.operators.list()).map((one) => ({ ...one, scopes: [...one.scopes] })),
      })),

    add: async ({ name, scopes: wanted, changedBy }, call) =>
      storeErrors(async () => {
        if (name === firstOperator.name) throw kept();
        // In one order, and each once.
        const granted = scopes.filter((one) => wanted.includes(one));
        const token = makeOperatorToken();
        const by = doneBy(call.principal, changedBy);
        const { outcome, version } = await store.operators.add(name, granted, hashOfToken(token), by);
        if (outcome === 'exists')
          throw problem(operators, 'operator-exists', {
            detail: `${name} has a token. Choose another name, or take that token back first: npx banyan operators revoke ${name}`,
          });
        call.change = { after: { name, scopes: granted } };
        return { name, scopes: granted, token, ...(await applied(version)) };
      }),

    revoke: async ({ name, changedBy }, call) =>
      storeErrors(async () => {
        if (name === firstOperator.name) throw kept();
        const by = doneBy(call.principal, changedBy);
        const { found, already, version } = await store.operators.revoke(name, by);
        if (!found)
          throw problem(operators, 'operator-unknown', {
            detail: `There is no operator ${name}. Those there are: npx banyan operators list`,
          });
        if (!already) call.change = { before: { name, scopes: found.scopes }, after: null };
        const gone = { ...found, scopes: [...found.scopes], ...(already && { already }) };
        return { ...gone, ...(await applied(version)) };
      }),
  };
}

function kept() {
  return problem(operators, 'operator-kept', {
    detail: `${firstOperator.name} is who holds ADMIN_TOKEN. Start the hosts with another ADMIN_TOKEN to end the present one.`,
  });
}
