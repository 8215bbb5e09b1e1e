// One variant of a call inside one process, measured in a process of its own: `node near.ts <variant>`.
// Prints nanoseconds per awaited call, by the clock and of CPU, the mean of one long loop after a warm-up of the same loop.

import { callSpans } from '../../src/banyan/calls/call-span.ts';
import { createDispatcher, type Dispatcher } from '../../src/banyan/calls/dispatcher.ts';
import type { ObserveCalls } from '../../src/banyan/calls/observed.ts';
import { createRef, type Remote } from '../../src/banyan/calls/ref.ts';
import type { Call } from '../../src/banyan/context/call.ts';
import { withFlow } from '../../src/banyan/context/call.ts';
import type { Placements, Snapshot } from '../../src/banyan/routing/snapshot.ts';
import { Recorder } from '../../src/banyan/telemetry/recorder.ts';
import { type SideCounter, Stats } from '../../src/banyan/telemetry/stats.ts';
import { INPUT, price, priceInTime, shelf, TRACEPARENT } from './subject.ts';

const WARM = 300_000;
const CALLS = 2_000_000;

type Ask = (input: typeof INPUT) => Promise<unknown>;

const snapshot = {
  version: 1,
  modules: { shelf: { module: 'shelf', placement: 'in-process', percent: 0, instances: [] } },
  monoliths: [],
  revoked: {},
} as unknown as Snapshot;

const placements: Placements = {
  current: snapshot,
  subscribe: () => () => undefined,
  refresh: async () => snapshot,
};
const remote: Remote = () => Promise.reject(new Error('nobody is far'));

function refOver(local: Dispatcher, stats?: Stats): Ask {
  return createRef(shelf, { caller: 'orders', local, remote, placements, stats, strict: false }).price as Ask;
}

const dispatcherOf = (handler: unknown, observe?: ObserveCalls) =>
  createDispatcher(shelf, { price: handler as never }, { codec: false, observe });

/** As a host has it: nobody looks at traces, or somebody does. */
function traced(on: boolean): ObserveCalls {
  const recorder = new Recorder(['shelf']);
  if (on) recorder.until(Date.now() + 600_000);
  return callSpans(recorder, 'internal');
}

/** A dispatcher that does nothing: what is left of a ref is the look-up and the promise passed on. */
const nothing = { contract: shelf, forModule: () => price } as unknown as Dispatcher;

/** What it would cost to time every call, and not one in 16. */
function watchedAlways(ask: Ask): Ask {
  const counter: SideCounter = new Stats().of('shelf', 'in-process', 'price');
  return (input) => {
    counter.begins();
    return counter.watch(ask, input);
  };
}

const call = {} as Call;
const variants: Record<string, () => Ask | Promise<Ask>> = {
  direct: () => price,
  'direct, with a call': () => (input) =>
    priceInTime(input, { ...call, deadline: 1, traceparent: TRACEPARENT }),
  fork: () => refOver(nothing),
  ref: () => refOver(dispatcherOf(price)),
  'ref, counted': () => refOver(dispatcherOf(price), new Stats()),
  'ref, nobody looks at traces': () => refOver(dispatcherOf(price, traced(false)), new Stats()),
  'ref, somebody looks at traces': () => refOver(dispatcherOf(price, traced(true)), new Stats()),
  'ref, every call watched': () => watchedAlways(refOver(dispatcherOf(price))),
  'ref in a flow': () => refOver(dispatcherOf(price)),
  'ref with deadline and trace': () => refOver(dispatcherOf(priceInTime)),
  'moleculer local': async () => {
    // Not a dependency of the product, nor of its type check.
    const name = 'moleculer';
    const { ServiceBroker } = await import(name);
    const broker = new ServiceBroker({ logger: false });
    broker.createService({
      name: 'shelf',
      actions: { price: (context: { params: typeof INPUT }) => price(context.params) },
    });
    await broker.start();
    return (input) => broker.call('shelf.price', input);
  },
};

async function loop(ask: Ask, calls: number): Promise<{ ns: number; cpuNs: number }> {
  const start = process.hrtime.bigint();
  const spent = process.cpuUsage();
  for (let i = 0; i < calls; i += 1) await ask(INPUT);
  const { user, system } = process.cpuUsage(spent);
  return { ns: Number(process.hrtime.bigint() - start) / calls, cpuNs: ((user + system) * 1000) / calls };
}

const variant = process.argv[2]!;
const ask = await variants[variant]!();
const inFlow = variant === 'ref in a flow' || variant === 'ref with deadline and trace';
const flow = { deadline: Date.now() + 600_000, traceparent: TRACEPARENT };
const run = (calls: number) => (inFlow ? withFlow(flow, () => loop(ask, calls)) : loop(ask, calls));
await run(WARM);
process.stdout.write(JSON.stringify(await run(CALLS)));
process.exit(0);
