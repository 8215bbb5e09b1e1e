// What an operator can ask of stores: the routes under /admin/stores. A module's store moves to another server while the
// module runs, and back. The command line is a client of exactly this.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../../contract/contract.ts';
import { nullable, time } from '../../contract/fields.ts';
import { changedBy, changedByHeader, moduleName, ofSomeModule } from '../../contract/operator-fields.ts';
import { Type } from '../../contract/type.ts';
import { type State, type Step as StepName, states, steps, type Task, tasks } from '../tasks/steps.ts';

const Step = Type.Unsafe<StepName>({ type: 'string', enum: [...steps] });

type StoreState = 'single' | 'moving' | 'paired' | 'broken';

const entry = {
  module: Type.String(),
  server: Type.String({
    description: '`shared`, `own`, or the name of STORE_<NAME>_URL',
    examples: ['shared'],
  }),
  /** How often it moved. */
  epoch: Type.Integer(),
  state: Type.Unsafe<StoreState>({ type: 'string', enum: ['single', 'moving', 'paired', 'broken'] }),
  /** Of what is being done; null: nothing is. */
  step: nullable(Step),
  /** Bytes that the other server of the pair has not got yet; null: there is no pair, or nobody knows. */
  lag: nullable(Type.Integer()),
  /** Servers of before that still have its tables, and from when on they are dropped there. */
  left: Type.Array(Type.Object({ server: Type.String(), dropAt: time() })),
};

const Entry = Type.Object(entry);
export type StoreEntry = Static<typeof Entry>;

/** Schemas of a module that stay where they are. */
const Stays = Type.Object({ module: Type.String(), schema: Type.String(), reason: Type.String() });

export const Finding = Type.Object({ code: Type.String(), detail: Type.String(), remedy: Type.String() });
export type Finding = Static<typeof Finding>;

const Move = Type.Object({
  id: Type.String(),
  task: Type.Unsafe<Task>({ type: 'string', enum: [...tasks] }),
  from: Type.String(),
  to: Type.String(),
  state: Type.Unsafe<State>({ type: 'string', enum: [...states] }),
  step: Step,
  /** Pauses that came to nothing. */
  attempt: Type.Integer(),
  /** Why it went back, is tried again, or is not what it should be; in words. */
  why: nullable(Type.String()),
  /** Of the last pause, where it came to nothing: `over-budget`, `not-held`, `open-transactions`, `failed`. */
  code: nullable(Type.String()),
  findings: Type.Array(Finding),
  steps: Type.Array(Type.Object({ step: Step, attempt: Type.Integer(), at: time() })),
  /** Copied, or compared, so far. */
  rows: nullable(Type.Object({ copied: Type.Integer(), total: Type.Integer() })),
  /** Of the last pause, in milliseconds. */
  numbers: Type.Record(Type.String(), Type.Number()),
  tables: Type.Array(Type.Object({ table: Type.String(), rows: Type.Integer(), alike: Type.Boolean() })),
  notes: Type.Array(Type.String()),
  startedBy: Type.String(),
  startedAt: time(),
  endedAt: nullable(time()),
});
export type Move = Static<typeof Move>;

export const Store = Type.Object({
  ...entry,
  /** The server that follows; null: none. */
  pairedWith: nullable(Type.String()),
  pair: nullable(
    Type.Object({
      state: Type.String(),
      lagBytes: nullable(Type.Integer()),
      lagMs: nullable(Type.Integer()),
      reason: nullable(Type.String()),
      lookedAt: time(),
    }),
  ),
  stays: Type.Array(Stays),
  /** What is being done, or was done last; null: nothing ever was. */
  move: nullable(Move),
  /** What was done before, the newest first. */
  history: Type.Array(
    Type.Object({
      id: Type.String(),
      task: Move.properties.task,
      from: Type.String(),
      to: Type.String(),
      state: Move.properties.state,
      why: nullable(Type.String()),
      startedBy: Type.String(),
      startedAt: time(),
      endedAt: nullable(time()),
    }),
  ),
});
export type Store = Static<typeof Store>;

const server = Type.String({
  minLength: 1,
  maxLength: 50,
  pattern: '^[a-z][a-z0-9-]*$',
  description:
    '`shared`, `own` (a server beside the shared one, in DATA_DIR), or the name of STORE_<NAME>_URL',
  examples: ['own'],
});

const wish = (description: string) => Type.Optional(Type.Boolean({ description, examples: [false] }));

const refusals = [
  'module-unknown',
  'server-unknown',
  'move-running',
  'not-movable',
  'not-paired',
  'pair-broken',
  'host-too-old',
] as const;

const acted = <E extends string = never>(path: string, summary: string, more: readonly E[] = []) =>
  operation({
    summary,
    description: 'Answers at once; GET says how it goes.',
    access: 'operator',
    scope: 'store',
    http: { method: 'POST', path: `/admin/stores/:module/${path}`, status: 202 },
    headers: changedByHeader,
    input: closed({ module: moduleName, changedBy }),
    example: ofSomeModule,
    output: Store,
    idempotent: false,
    errors: [...refusals, ...more],
  });

export const stores = defineContract('stores', {
  summary: 'On which servers the stores of modules are; how they move there and back, while the modules run',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'server-unknown': { status: 422, title: 'No such server can be reached from here' },
    'move-running': { status: 409, title: 'Something is being done to this store' },
    'not-movable': { status: 409, title: 'The store cannot be moved there' },
    'not-paired': { status: 409, title: 'No server follows this store' },
    'pair-broken': { status: 409, title: 'The servers of this store do not follow each other any more' },
    'host-too-old': { status: 409, title: 'A live host does not know that stores move' },
    'too-late': { status: 409, title: 'It has moved' },
  },
  operations: {
    list: operation({
      summary: 'Where every store is',
      access: 'operator',
      scope: ['read', 'store'],
      http: { method: 'GET', path: '/admin/stores' },
      input: nothing,
      output: Type.Object({ items: Type.Array(Entry), stays: Type.Array(Stays) }),
      idempotent: true,
    }),
    show: operation({
      summary: 'Where a store is, what is being done to it, with its numbers, and what was done',
      access: 'operator',
      scope: ['read', 'store'],
      http: { method: 'GET', path: '/admin/stores/:module' },
      input: closed({ module: moduleName }),
      example: ofSomeModule,
      output: Store,
      idempotent: true,
      errors: ['module-unknown'],
    }),
    move: operation({
      summary: 'Move a store to a server, or back',
      description:
        'Answers at once; GET says how it goes. With `dryRun` it answers what stands in the way, and changes nothing. What ' +
        'the pre-flight finds in the first seconds is answered as `not-movable`, with `findings`.',
      access: 'operator',
      scope: 'store',
      http: { method: 'PUT', path: '/admin/stores/:module', status: 202 },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        server,
        dryRun: wish('The pre-flight alone'),
        rehearse: wish('Everything but the commit point, then as before'),
        loseUnreplicated: wish(
          'The server that owns it is lost for good: the one that follows takes over, without what it has not got',
        ),
        changedBy,
      }),
      example: (contracts) => ({ ...ofSomeModule(contracts), server: 'shared' }),
      output: Store,
      idempotent: false,
      errors: [...refusals],
    }),
    back: acted('back', 'Move it to the server that follows'),
    verify: acted('verify', 'Compare every row of both servers of a pair'),
    finish: acted('finish', 'End the pair; the store stays where it is'),
    abort: acted('abort', 'End a move that has not come to its commit point; everything is as before', [
      'too-late',
    ]),
  },
});
