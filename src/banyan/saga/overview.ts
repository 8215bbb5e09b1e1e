// The open sagas of a module in numbers: all together, and by the step at which they stand. What an operator is shown
// first, whatever the saga is about.
import type { Counted, OpenState } from './open.ts';
import { type Style, styleWhen } from './style.ts';

export type Numbers = Readonly<Record<OpenState, number>>;

export interface AtStep extends Numbers {
  readonly style: Style;
  readonly step: string;
}

export function inNumbers(counted: readonly Counted[]): Numbers & { readonly steps: AtStep[] } {
  const steps = Map.groupBy(counted, ({ driven, step }) => `${styleWhen(driven)} ${step}`);
  return {
    ...sum(counted),
    steps: [...steps.values()].map((some) => ({
      style: styleWhen(some[0]!.driven),
      step: some[0]!.step,
      ...sum(some),
    })),
  };
}

function sum(some: readonly Counted[]): Numbers {
  const numbers = { running: 0, waiting: 0, compensating: 0, stuck: 0 };
  for (const { state, count } of some) numbers[state] += count;
  return numbers;
}
