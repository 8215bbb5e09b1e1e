// A case of the chart, rendered and held to all that is known of it: the rules, the published schemas. Answers what is wrong.
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Case } from './matrix.ts';
import { nameOf, render } from './rendered.ts';
import { breachesOf } from './rules.ts';
import type { Schemas } from './schemas.ts';

export interface Found {
  readonly name: string;
  readonly objects: number;
  /** None: all of it holds. */
  readonly wrong: readonly string[];
}

/** Nothing is kept there: a host that would keep something says so by failing. */
const NOWHERE = join(tmpdir(), 'nothing-is-kept-here');

/** @param schemas each is asked; none: the rules alone are. */
export async function check(
  helm: string,
  { name, values }: Case,
  schemas: readonly Schemas[],
): Promise<Found> {
  const objects = await render(helm, values).catch((error: Error) => error);
  if (objects instanceof Error) return { name, objects: 0, wrong: [objects.message] };
  const unfit = schemas.flatMap((one) =>
    objects.flatMap((object) =>
      one.complaints(object).map((line) => `${nameOf(object)} (${one.name}): ${line}`),
    ),
  );
  return { name, objects: objects.length, wrong: [...breachesOf(objects, NOWHERE), ...unfit] };
}

export function checkAll(
  helm: string,
  cases: readonly Case[],
  schemas: readonly Schemas[],
  onFound: (found: Found) => void = () => {},
): Promise<Found[]> {
  return ofAll(cases, (one) => check(helm, one, schemas), onFound);
}

/** As many at once as there are cores: each case waits for a process. */
export async function ofAll<C extends Case>(
  cases: readonly C[],
  ask: (one: C) => Promise<Found>,
  onFound: (found: Found) => void,
): Promise<Found[]> {
  const found: Found[] = [];
  const left = [...cases];
  const work = async () => {
    for (let one = left.shift(); one; one = left.shift()) {
      const result = await ask(one);
      found.push(result);
      onFound(result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return found;
}
