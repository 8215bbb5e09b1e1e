// A listener that says its style hears of sagas of that style alone; one that says none hears of all.
import { describe, expect, test } from 'vitest';
import { defineContract, event } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { on } from './on.ts';
import type { Style } from './style.ts';

const trips = defineContract('trips', {
  summary: 'Trips',
  operations: {},
  events: {
    planned: event({
      summary: 'A trip was planned',
      version: 1,
      key: 'id',
      data: Type.Object({ id: Type.String(), saga: Type.Optional(Type.String()) }),
    }),
  },
});

async function heard(style: Style | undefined): Promise<string[]> {
  const ids: string[] = [];
  const { handle } = on(trips.events.planned, async ({ id }) => void ids.push(id), style ? { style } : {});
  for (const data of [
    { id: 'driven', saga: 'orchestration' },
    { id: 'watched', saga: 'choreography' },
    { id: 'from before there were styles' },
  ])
    await handle(data, {} as never);
  return ids;
}

describe('a listener', () => {
  test.each([
    ['choreography', ['watched', 'from before there were styles']],
    ['orchestration', ['driven']],
    [undefined, ['driven', 'watched', 'from before there were styles']],
  ] as const)('of style %s', async (style, ids) => {
    expect(await heard(style)).toEqual(ids);
  });
});
