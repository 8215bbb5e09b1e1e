// The piece `traces`: every operation of every contract, shadowed between processes, thousands of times, in calm, against
// locks that somebody holds, and with budgets that run out; and processes killed, and frozen, in the middle of a shadow. After
// each volley every row of every table and every file must be as before.
// It must not know how a shadow is rolled back.
import { cannot } from '../../../src/banyan/ladder/shadow/attempt.ts';
import { createRandom, type Random } from '../../chaos/random.ts';
import type { Request } from '../../rolled-back/cases.ts';
import { allEnded } from '../../shadow/kill.ts';
import { type Answer, contractOf, differences, type ShadowRoom, traces } from '../../shadow/room.ts';
import { Findings } from '../share/findings.ts';
import { DEATHS, type Death, playDeath } from './deaths.ts';
import { figure, type Outcome, type Play } from './outcome.ts';
import { openStoppedShop } from './stopped-shop.ts';
import { Tally } from './tally.ts';
import { type Weather, weatherOf, withLocks } from './weather.ts';

export interface TracesOptions extends Play {
  readonly shadows: number;
  /** Of each kind of death. */
  readonly kills: number;
  readonly seed: number;
}

interface Piece extends TracesOptions {
  readonly room: ShadowRoom;
  readonly random: Random;
  readonly found: Findings;
  readonly tally: Tally;
}

/** Each operation is asked by so many requests at least, each made anew. */
const LEAST_ROUNDS = 2;
const MOST_OF_ONE = 40;
/** As many as a process takes. */
const AT_ONCE = 2;
const HURRY_MS = 25;

export async function playTraces(options: TracesOptions): Promise<Outcome> {
  const { shadows, kills, seed, say } = options;
  const began = performance.now();
  say('traces: starting PostgreSQL, a monolith that prepares it and ends, and three processes');
  const shop = await openStoppedShop(options.signal);
  try {
    const piece = {
      ...options,
      room: shop.room,
      random: createRandom(seed),
      found: new Findings(),
      tally: new Tally(),
    };
    missing(piece);
    const deaths = await playVolleys(piece);
    return {
      piece: 'traces',
      command: `npm run rehearse -- ladder traces --shadows ${shadows} --kills ${kills} --seed ${seed}`,
      seconds: (performance.now() - began) / 1000,
      ...told(piece, deaths),
      wrong: piece.found.sentences(),
    };
  } finally {
    await shop.stop();
  }
}

/** An operation without a case would be tried by nobody. */
function missing({ room: { modules, cases }, found }: Piece): void {
  for (const { module, operations } of modules.contracts)
    for (const operation of Object.keys(operations))
      if (!cases[`${module}.${operation}`]) found.add('without a case', `${module}.${operation}`);
}

async function playVolleys(piece: Piece): Promise<Death[]> {
  const { room, random, shadows, tally, say, signal, kills } = piece;
  const names = Object.keys(room.cases).filter((name) => !cannot(contractOf(room.modules, name).spec));
  await refusals(piece);
  const rounds = Math.max(LEAST_ROUNDS, Math.ceil(shadows / (names.length * MOST_OF_ONE)));
  const volleys = Array.from({ length: rounds }, () => random.shuffled(names)).flat();
  const deaths: Death[] = [];
  for (const [n, name] of volleys.entries()) {
    signal.throwIfAborted();
    const left = shadows - tally.asked;
    // Each operation in calm once at least.
    const weather = n < names.length ? 'calm' : weatherOf(random);
    await volley(piece, name, weather, Math.ceil(left / (volleys.length - n)));
    // Spread over all of it, so that processes of all ages die.
    while (deaths.length * volleys.length < DEATHS * kills * (n + 1))
      deaths.push(await playDeath(piece, deaths.length));
    if (n % names.length === 0)
      say(`traces: ${figure(tally.asked)} of ${figure(shadows)} shadows, ${deaths.length} deaths`);
  }
  for (const name of names) if (!tally.comparedOf(name)) piece.found.add('never compared undisturbed', name);
  return deaths;
}

/** What cannot be shadowed says why, and is not. */
async function refusals({ room, found, tally }: Piece): Promise<void> {
  for (const [name, fresh] of Object.entries(room.cases)) {
    const { spec } = contractOf(room.modules, name);
    if (!cannot(spec)) continue;
    tally.refused += 1;
    const { failed } = await room.ask(name, await fresh());
    if (!spec.shadow?.never) found.add('without a reason', name);
    if (failed?.name !== 'AskByHttp') found.add('shadowed although it cannot be', name);
  }
}

async function volley(piece: Piece, name: string, weather: Weather, count: number): Promise<void> {
  const { room, found, tally } = piece;
  const request = await room.cases[name]!();
  const before = await room.standing();
  const left = Array.from({ length: count - 1 }, (_, n) => () => one(piece, name, request, weather, n + 1));
  const some = async () => {
    for (let next = left.pop(); next; next = left.pop()) await next();
  };
  const asked = async () => {
    // Alone: those of one row meet each other's locks.
    await one(piece, name, request, weather, 0);
    await Promise.all(Array.from({ length: AT_ONCE }, some));
  };
  await (weather === 'locked' ? withLocks(room, name, asked) : asked());
  await allEnded(room.database);
  for (const trace of traces(before, await room.standing()))
    found.add(`left by ${name}`, `${weather}: ${trace}`);
  tally.looked += 1;
}

async function one(piece: Piece, name: string, request: Request, weather: Weather, n: number): Promise<void> {
  const { room, random, found, tally } = piece;
  const hurry = weather === 'hurried' ? { ms: 1 + random.below(HURRY_MS) } : {};
  // The near side does it too, as a mirror does; not each time, or it would be most of the work.
  const answer = await room.ask(name, request, { ...hurry, near: n % 8 === 0 });
  tally.count(weather, answer);
  if (weather !== 'calm') return;
  if (answer.failed) found.add('failed', `${name}: ${answer.failed.message}`);
  if (!isClear(answer)) return;
  tally.compare(name);
  for (const why of differences(room.modules, name, answer)) found.add(`differs: ${name}`, why);
}

const isClear = ({ far, near }: Answer) =>
  near !== undefined && near.disturbed === undefined && far !== undefined && far.disturbed === undefined;

function told({ tally, room, shadows }: Piece, deaths: readonly Death[]): Pick<Outcome, 'table' | 'notes'> {
  const rows = deaths.length === 0 ? [] : Object.entries(Object.groupBy(deaths, ({ kind }) => kind));
  const most = (some: readonly number[]) => Math.max(...some).toFixed(0);
  return {
    table: [
      ['what', 'count'],
      ['shadows', figure(tally.asked)],
      ...tally.rows(),
      [
        'looks at every row and every file, none of which had changed otherwise',
        figure(tally.looked + deaths.length),
      ],
      ...rows.map(([kind, some = []]) => [
        kind,
        `${some.length}, each with ${Math.min(...some.map(({ open }) => open))} or more open transactions that had written; all over after at most ${most(some.map(({ endedMs }) => endedMs))} ms`,
      ]),
    ],
    notes: [
      `${Object.keys(room.cases).length} operations, of which ${tally.refused} say why they cannot be shadowed and were not;`,
      `${figure(shadows)} shadows were asked for of the others, ${AT_ONCE} at a time, by one process of another; what they call was shadowed in a third.`,
      'No relay, consumer or job ran.',
    ],
  };
}
