// Counts the calls that other hosts' requests keep running here, by module: what a drain waits for.
import type { Dispatcher } from '../calls/dispatcher.ts';

export interface Busy {
  readonly dispatchers: ReadonlyMap<string, Dispatcher>;
  /** Running now; modules with none are left out. */
  counts(): Record<string, number>;
}

export function countBusy(dispatchers: ReadonlyMap<string, Dispatcher>): Busy {
  const running = new Map<string, number>();
  const add = (module: string, change: number) => running.set(module, (running.get(module) ?? 0) + change);
  const counted = [...dispatchers].map(([module, dispatcher]): [string, Dispatcher] => [
    module,
    {
      ...dispatcher,
      dispatch(operation, input, call) {
        add(module, 1);
        const over = () => add(module, -1);
        const answer = dispatcher.dispatch(operation, input, call);
        answer.then(over, over);
        return answer;
      },
    },
  ]);
  return {
    dispatchers: new Map(counted),
    counts: () => Object.fromEntries([...running].filter(([, count]) => count > 0)),
  };
}
