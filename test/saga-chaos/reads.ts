// Reads between the orders of a chaos run: what shadows are made of, and what a client would notice them by. An answer is
// what was asked for, or a 5xx of a process that has just died; anything else is reported in words.
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../chaos/random.ts';
import type { Answer, Stage } from './stage.ts';

export interface Readers {
  /** Tokens. */
  readonly customers: readonly string[];
  readonly products: readonly string[];
  /** Reads a second. */
  readonly rate: number;
}

const MOST_REPORTED = 5;

/** Reads until `signal`; answers what no client should have been told. */
export async function browse(
  stage: Stage,
  random: Random,
  { customers, products, rate }: Readers,
  signal: AbortSignal,
): Promise<string[]> {
  const wrong: string[] = [];
  const open = new Set<Promise<void>>();
  const read = async (path: string, fits: (body: Answer['body']) => boolean) => {
    const answer = await stage.call('GET', path, { token: random.pick(customers) }).catch(() => undefined);
    if (!answer || answer.status >= 500) return;
    if (answer.status === 200 && fits(answer.body)) return;
    if (wrong.length < MOST_REPORTED)
      wrong.push(`GET ${path} answered ${answer.status} ${JSON.stringify(answer.body).slice(0, 200)}`);
  };
  const isList = ({ items }: Answer['body']) => Array.isArray(items);
  while (!signal.aborted) {
    const product = random.pick(products);
    const one = random.pick([
      () => read(`/api/catalog/products/${product}`, ({ id }) => id === product),
      () => read('/api/users/me', ({ name }) => name === 'A Customer'),
      () => read('/api/orders?limit=5', isList),
      () => read('/api/notifications?limit=5', isList),
    ])();
    open.add(one);
    void one.finally(() => open.delete(one));
    await pause(1_000 / rate, undefined, { signal }).catch(() => {});
  }
  await Promise.all(open);
  return wrong;
}
