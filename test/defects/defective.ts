// A module of the shop with a defect: everything is as it is, but for what the switch says at the moment.
import { libraryProblem, type Module } from '#banyan';
import { type Defect, defectOf, SLOWER_MS } from './switch.ts';

type Handler = (input: unknown, call: unknown) => Promise<unknown>;

const FAILS_ONE_IN = 100;
/** What the operating system does to a process that has taken too much; enough to be seen, and few enough for any machine. */
const LEAK_BYTES = 4 * 1024 * 1024;
const MOST_LEAKS = 30;

/** @param dataDir of this process. */
export function defective(module: Module, dataDir: string): Module {
  const { contract } = module;
  const now = () => defectOf(contract.module, dataDir);
  return {
    ...module,
    setup(kit) {
      const parts = module.setup(Object.create(kit, { store: { value: mute(kit.store, now) } }));
      const handlers = Object.entries(parts.operations as unknown as Record<string, Handler>);
      const operations = Object.fromEntries(handlers.map(([name, handler]) => [name, spoilt(handler, now)]));
      return { ...parts, operations: operations as unknown as typeof parts.operations };
    },
  };
}

const kept: Buffer[] = [];
let asked = 0;

function spoilt(handler: Handler, now: () => Defect | undefined): Handler {
  return async (input, call) => {
    const defect = now();
    asked += 1;
    if (defect === 'status') throw libraryProblem('not-found', { detail: 'It is there, and not found.' });
    if (defect === 'errors' && asked % FAILS_ONE_IN === 0) throw new Error('one in a hundred fails');
    if (defect === 'memory') grow();
    if (defect === 'slow') await new Promise((resolve) => setTimeout(resolve, SLOWER_MS));
    const output = await handler(input, call);
    return defect === 'field' ? withAnother(output) : output;
  };
}

function grow(): void {
  kept.push(Buffer.alloc(LEAK_BYTES, 1));
  if (kept.length >= MOST_LEAKS) process.kill(process.pid, 'SIGKILL');
}

/** The first number in it, wherever it is, is one higher. */
function withAnother(output: unknown): unknown {
  let done = false;
  return JSON.parse(JSON.stringify(output), (_, value: unknown) => {
    if (done || typeof value !== 'number') return value;
    done = true;
    return value + 1;
  });
}

/** Its transactions publish nothing while that is the defect. */
function mute<S extends Parameters<Module['setup']>[0]['store']>(store: S, now: () => Defect | undefined): S {
  const transaction: S['transaction'] = (work) =>
    store.transaction((tx) => {
      if (now() !== 'event') return work(tx);
      return work({
        get prisma() {
          return tx.prisma;
        },
        get sql() {
          return tx.sql;
        },
        publish: async () => ({ id: '00000000-0000-7000-8000-000000000000' }),
        afterCommit: (later) => tx.afterCommit(later),
      });
    });
  return Object.create(store, { transaction: { value: transaction } });
}
