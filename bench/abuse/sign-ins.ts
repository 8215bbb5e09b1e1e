// Passwords are dear by design: 200 sign-ins at once, and one account's password guessed again and again. What counts is
// that whoever is refused hears it at once, that guessing slows down, and that the owner still gets in.
import { countsOf, type Figure, quantileOf } from './figure.ts';
import type { Product } from './stage.ts';

const AT_ONCE = 200;
const GUESSES = 60;
/** A guesser who waits as told would need hours; nobody looks on for longer than this. */
const TIMEOUT_MS = 20_000;

export async function abuseBySignIns(product: Product, say: (line: string) => void): Promise<Figure[]> {
  const owner = { email: 'owner@example.com', password: 'what the owner knows' };
  await product.ask('POST', '/api/users', { body: { ...owner, name: 'Owner' } });
  const times: number[] = [];
  const signIn = async (body: object) => {
    const began = performance.now();
    const { status } = await product
      .ask('POST', '/api/users/sessions', { body })
      .catch(() => ({ status: 0 }));
    times.push(performance.now() - began);
    return status;
  };
  const statuses = await Promise.all(Array.from({ length: AT_ONCE }, () => signIn(owner)));
  const slowest = quantileOf(times, 1);
  say(`${AT_ONCE} sign-ins at once: ${countsOf(statuses)}; the slowest ${slowest.toFixed(0)} ms`);

  const began = performance.now();
  const guessed: number[] = [];
  while (guessed.length < GUESSES && performance.now() - began < TIMEOUT_MS)
    guessed.push(await signIn({ ...owner, password: `guess ${guessed.length}` }));
  const looked = guessed.filter((status) => status === 401).length;
  const welcome = await signIn(owner);
  say(`${guessed.length} wrong guesses: ${countsOf(guessed)}; the owner afterwards: ${welcome}`);
  return [
    { what: `${AT_ONCE} sign-ins at once: slowest answer`, value: slowest, unit: 'ms' },
    { what: `of ${GUESSES} wrong guesses at one account, looked at`, value: looked, unit: '' },
  ];
}
