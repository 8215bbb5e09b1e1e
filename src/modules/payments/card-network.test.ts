// The time limit around a network that may never answer.
import { expect, test } from 'vitest';
import { type CardNetwork, NoAnswer, withTimeLimit } from './card-network.ts';

const request = {
  idempotencyKey: 'k',
  orderId: 'o',
  amountCents: 1,
  currency: 'EUR',
  token: 'tok_ok',
} as const;
const never = new AbortController().signal;

function networkWhose(charge: CardNetwork['charge']): CardNetwork {
  const silent = () => new Promise<never>(() => {});
  return { charge, lookup: silent, void: silent, refund: silent };
}

test('an answer passes, and so does an error', async () => {
  const network = withTimeLimit(
    networkWhose(async () => 'captured'),
    1_000,
  );
  expect(await network.charge(request, never)).toBe('captured');
  const broken = withTimeLimit(
    networkWhose(async () => {
      throw new Error('broken');
    }),
    1_000,
  );
  await expect(broken.charge(request, never)).rejects.toThrow('broken');
});

test('silence ends as NoAnswer, and the ask is aborted', async () => {
  let inner: AbortSignal | undefined;
  const network = withTimeLimit(
    networkWhose((_, signal) => {
      inner = signal;
      return new Promise(() => {});
    }),
    20,
  );
  await expect(network.charge(request, never)).rejects.toThrow(NoAnswer);
  expect(inner?.aborted).toBe(true);
  for (const ask of ['void', 'refund'] as const)
    await expect(network[ask](request, never)).rejects.toThrow(NoAnswer);
  await expect(network.lookup('k', never)).rejects.toThrow(NoAnswer);
});

test('who closes does not wait for the limit', async () => {
  const closing = new AbortController();
  const network = withTimeLimit(
    networkWhose(() => new Promise(() => {})),
    60_000,
  );
  const asked = network.charge(request, closing.signal);
  closing.abort(new Error('closing'));
  await expect(asked).rejects.toThrow('closing');
  await expect(network.charge(request, closing.signal)).rejects.toThrow('closing');
});
