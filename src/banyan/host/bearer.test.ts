// Whose token it is: operators by the picture of the moment, ADMIN_TOKEN where it is known and where only its hash is.
import { beforeAll, expect, test } from 'vitest';
import { hashOfToken, makeOperatorToken, slowHash } from '../identity/operator-token.ts';
import type { OperatorKnown, Placements } from '../routing/snapshot.ts';
import { createBearerCheck } from './bearer.ts';

const adminToken = 'a token that a person chose'.replaceAll(' ', '-');
const token = makeOperatorToken();
const ada: OperatorKnown = { name: 'ada', scopes: ['place'], hash: hashOfToken(token) };
let first: OperatorKnown;

beforeAll(async () => {
  first = { name: 'operator', scopes: ['read', 'place', 'operators'], hash: await slowHash(adminToken) };
});

function host(operators: readonly OperatorKnown[], known?: string) {
  const picture = { revoked: {}, operators };
  const placements = { current: picture } as unknown as Placements;
  const verify = createBearerCheck({ adminToken: known, keys: () => [], placements });
  const ask = async (sent: string) => {
    try {
      return await verify(sent);
    } catch (error) {
      return (error as { status: number }).status;
    }
  };
  return { picture, verify, ask };
}

test('an operator is known by a hash, at once, and refused as soon as the picture has it no more', async () => {
  const { picture, verify, ask } = host([ada], adminToken);
  expect(verify(token)).toEqual({ kind: 'operator', name: 'ada', scopes: ['place'] });
  expect([await ask(`${token}x`), await ask(makeOperatorToken()), await ask('bop_')]).toEqual([
    401, 401, 401,
  ]);
  expect(await ask(ada.hash)).toBe(401);
  picture.operators = [];
  expect(await ask(token)).toBe(401);
});

test('a service takes ADMIN_TOKEN by its hash: with time for the first request, at once from then on', async () => {
  const { picture, verify, ask } = host([ada, first]);
  expect(verify(adminToken)).toBeInstanceOf(Promise);
  expect(await verify(adminToken)).toMatchObject({ name: 'operator', scopes: first.scopes });
  expect([await ask('another-token-of-some-length'), await ask(first.hash)]).toEqual([401, 401]);
  picture.operators = [ada, { ...first, hash: await slowHash('the-next-one-of-them') }];
  expect(await ask(adminToken)).toBe(401);
  expect(await ask('the-next-one-of-them')).toMatchObject({ name: 'operator' });
});

test('the first requests with ADMIN_TOKEN at once are all let in: they wait for one look', async () => {
  const { ask } = host([first]);
  const asked = await Promise.all(Array.from({ length: 10 }, () => ask(adminToken)));
  for (const one of asked) expect(one).toMatchObject({ name: 'operator' });
});

test('an ADMIN_TOKEN with dots in it is one on a service, too', async () => {
  const dotted = 'a.token.that-a-person.chose';
  const known = { ...first, hash: await slowHash(dotted) };
  expect(await host([known], dotted).ask(dotted)).toMatchObject({ name: 'operator' });
  expect(await host([known]).ask(dotted)).toMatchObject({ name: 'operator' });
});

test('many guesses at once are put off: each costs what one is meant to cost', async () => {
  const { ask } = host([first]);
  const guesses = await Promise.all(Array.from({ length: 10 }, (_, n) => ask(`a-guess-of-some-length-${n}`)));
  expect(guesses.filter((status) => status === 401)).toHaveLength(2);
  expect(guesses.filter((status) => status === 429)).toHaveLength(8);
});

test('a picture of an older monolith knows no operators', async () => {
  const { ask } = host(undefined as never, adminToken);
  expect([await ask(token), await ask(adminToken)]).toEqual([
    401,
    expect.objectContaining({ name: 'operator' }),
  ]);
});
