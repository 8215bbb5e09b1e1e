// The card on its way to payments: closed, unless one is about that could not open it.
import { expect, test } from 'vitest';
import { cardsFor } from './cards.ts';

test('the card is sealed with its order, and left open for a payments of the version before', async () => {
  let canOpen = true;
  const asked: string[] = [];
  const cards = cardsFor({
    sealFor: (module) => async (text) => `sealed for ${module}: ${text}`,
    opensSeals: (module) => {
      asked.push(module);
      return canOpen;
    },
  });
  expect(await cards('order', 'tok_ok')).toBe('sealed for payments: order tok_ok');
  canOpen = false;
  expect(await cards('order', 'tok_ok')).toBe('tok_ok');
  expect(asked).toEqual(['payments', 'payments']);
});
