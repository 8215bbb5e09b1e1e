// The connections of one module (or of one extra schema of it): all that it sends to its database goes through here.
//
//   hold()          whoever comes waits at the gate; what is under way is counted down
//   release()       everybody goes on
//   switchTo(url)   another server: new work and whoever waits go there, what is under way ends on the old one
//   prepare(url)    a connection there beforehand, for a switch that waits for none
//   warm(url)       as many as are here, with what they will be asked prepared (warm.ts), while work goes on
//   again(work)     once more at the other server, where the store was refused because it had gone there (elsewhere.ts)
//
// To whoever uses it, Prisma's adapter among them, it is a pool of pg's like any other (by promises: nobody here hands in
// functions). Where nobody holds it and nothing was ever tried (trial.ts) it costs two booleans.
// Guarantees: once `hold` has answered true nothing of this process is open on the server, and nothing new begins before
// `release`; a statement never moves from one server to another. `ping` never waits at the gate.
// It must not know what is asked, nor who decides where a store is.
import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import pg from 'pg';
import { isTrial } from '../context/trial.ts';
import { openPool } from './connections.ts';
import { askAgain, type Look } from './elsewhere.ts';
import { Gate } from './gate.ts';
import { presentTrial, type TrialReader } from './trial.ts';
import { type Prepared, warm } from './warm.ts';

/** What tells nothing when it ends, a connection that could not be made, is looked at again so often. */
const LOOK_MS = 20;
/** A statement that was answered so lately says that the server is there. */
const SIGN_OF_LIFE_MS = 1_000;
/** A ping is answered by then, or the next one has a new connection: one that was cut off would answer long after the server does. */
const PULSE_MS = 2_000;

type Query = pg.Pool['query'];
type Connect = pg.Pool['connect'];

/** A pool whose first connection is on its way. */
interface Entering {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly entered: Promise<void>;
}

export class ModulePool extends pg.Pool {
  /** What a trial reads of this module's store. */
  readonly trialReader: TrialReader | undefined;
  readonly #moments = new EventEmitter<{ ended: []; switched: [] }>();
  readonly #gate = new Gate();
  readonly #onIdleLost: (error: Error) => void;
  /** The statements of sessions beside the pool that are under way. */
  #beside = 0;
  #epoch = 0;
  #pool: pg.Pool;
  /** For `ping` alone. */
  #pulse: pg.Pool | undefined;
  #answered = Number.NEGATIVE_INFINITY;
  /** Of a server that it may go to soon. */
  #next: Entering | undefined;
  #look: Look | undefined;
  #statements: () => readonly Prepared[] = () => [];
  /** Pools of servers before, which end with the work that is left there. */
  readonly #ending = new Set<Promise<void>>();

  /** @param onIdleLost hears of a connection that nobody was using. */
  constructor(config: pg.PoolConfig, onIdleLost: (error: Error) => void, trialReader?: TrialReader) {
    super(config);
    this.trialReader = trialReader;
    // Each client of Prisma's listens.
    this.setMaxListeners(0);
    this.#onIdleLost = onIdleLost;
    this.#pool = this.#openPool(config);
  }

  // The overloads are those of pg, and so are the answers.
  override connect: Connect = (() =>
    this.#gate.shut || isTrial() ? this.#connectSlowly() : this.#pool.connect()) as Connect;

  override query: Query = ((...asked: Parameters<Query>) =>
    this.#gate.shut || isTrial() ? this.#querySlowly(asked) : this.#ask(asked)) as unknown as Query;

  /** How often it was switched: a session that was opened before must not go on. */
  get epoch(): number {
    return this.#epoch;
  }

  get held(): boolean {
    return this.#gate.shut;
  }

  /** Who waits at the gate. */
  get waiting(): number {
    return this.#gate.waiting;
  }

  /** What is under way: connections in use, who waits for one of them, and statements of sessions beside the pool. */
  get open(): number {
    return inUse(this.#pool) + this.#beside;
  }

  /** Answers true when nothing is under way any more; false when it was released first. */
  async hold(): Promise<boolean> {
    this.#gate.close();
    while (this.#gate.shut && this.open > 0) await this.#somethingEnds();
    return this.#gate.shut;
  }

  release(): void {
    this.#gate.open();
    this.#moments.emit('ended');
    void this.#forgetNext();
  }

  /** Rejects where that server does not let us in. */
  prepare(url: string): Promise<void> {
    if (this.#next?.url !== url) {
      void this.#forgetNext();
      this.#next = this.#entering(url);
    }
    return this.#next.entered;
  }

  /** Resolves when they are there, and stay until `release` or a switch. Rejects where that server does not let us in. */
  async warm(url: string): Promise<void> {
    await this.prepare(url);
    const next = this.#next;
    if (next?.url === url) await warm(next.pool, Math.max(1, this.#pool.totalCount), this.#statements());
  }

  /** What its connections are asked again and again. */
  asksFor(statements: () => readonly Prepared[]): void {
    this.#statements = statements;
  }

  /** What is asked when the store was refused. */
  looksBy(look: Look): void {
    this.#look = look;
  }

  /** Of work of which nothing took effect when it was refused: runs it, and once more where the store had gone elsewhere. */
  async again<T>(work: () => Promise<T>): Promise<T> {
    if (!this.#look || isTrial()) return work();
    return work().catch((error: unknown) => askAgain(error, this.#look!, work));
  }

  /**
   * Rejects, and changes nothing, where the other server cannot be entered; unless it is to go there all the same: then
   * whoever comes hears that it does not answer. It does not open the gate.
   */
  async switchTo(url: string, allTheSame = false): Promise<void> {
    if (this.#next?.url !== url) await this.#forgetNext();
    const { pool: next, entered } = this.#next ?? this.#entering(url);
    this.#next = undefined;
    try {
      await entered;
    } catch (error) {
      if (!allTheSame) {
        await next.end();
        throw error;
      }
    }
    const [before, pulse] = [this.#pool, this.#pulse];
    this.#pool = next;
    this.#pulse = undefined;
    this.options = next.options;
    this.#epoch += 1;
    const ended = Promise.all([endOf(before), pulse?.end()]).then(() => {
      this.#ending.delete(ended);
    });
    this.#ending.add(ended);
    this.#moments.emit('switched');
  }

  /** Told after each switch. */
  onSwitch(listener: () => void): void {
    this.#moments.on('switched', listener);
  }

  /** A statement on a connection that is not the pool's (a relay's session): held and counted like any other. */
  async beside<T>(work: () => Promise<T>): Promise<T> {
    while (this.#gate.shut) await this.#gate.pass();
    this.#beside += 1;
    try {
      return await work();
    } finally {
      this.#beside -= 1;
      this.#moments.emit('ended');
    }
  }

  /**
   * Rejects when the server does not answer. It has a connection of its own: under load it would stand behind hundreds of
   * others, each of which proves what it asks, and while the pool is held behind the gate.
   */
  async ping(): Promise<void> {
    if (performance.now() - this.#answered <= SIGN_OF_LIFE_MS) return;
    this.#pulse ??= openPool({ ...this.options, ...pulsed }, this.#onIdleLost);
    await this.#pulse.query('SELECT 1');
  }

  override end: pg.Pool['end'] = (async () => {
    this.#gate.open();
    await Promise.all([
      super.end(),
      this.#pool.end(),
      this.#pulse?.end(),
      this.#forgetNext(),
      ...this.#ending,
    ]);
  }) as pg.Pool['end'];

  #openPool(config: pg.PoolConfig): pg.Pool {
    const pool = openPool(config, this.#onIdleLost);
    pool.on('release', (error) => {
      if (!error && pool === this.#pool) this.#answered = performance.now();
      if (this.#gate.shut) this.#moments.emit('ended');
    });
    return pool;
  }

  #entering(url: string): Entering {
    const pool = this.#openPool({ ...this.options, connectionString: url });
    const entered = pool.connect().then((client) => client.release());
    entered.catch(() => {});
    return { url, pool, entered };
  }

  async #forgetNext(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    await next?.pool.end();
  }

  #ask(asked: Parameters<Query>): Promise<pg.QueryResult> {
    const ask = () => (this.#pool.query as (...of: unknown[]) => Promise<pg.QueryResult>)(...asked);
    if (!this.#look) return ask();
    return ask().catch((error: unknown) => askAgain(error, this.#look!, () => this.#askHeld(ask)));
  }

  async #askHeld<T>(ask: () => Promise<T>): Promise<T> {
    while (this.#gate.shut) await this.#gate.pass();
    return ask();
  }

  async #connectSlowly(): Promise<pg.PoolClient> {
    const trial = presentTrial();
    if (trial) return (await trial.connection(this, () => this.#connection())).checkOut();
    return this.#connection();
  }

  async #connection(): Promise<pg.PoolClient> {
    while (this.#gate.shut) await this.#gate.pass();
    return this.#pool.connect();
  }

  async #querySlowly(asked: Parameters<Query>): Promise<pg.QueryResult> {
    const trial = presentTrial();
    if (trial) return (await trial.connection(this, () => this.#connection())).query(asked);
    return this.#askHeld(() => this.#ask(asked));
  }

  async #somethingEnds(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, LOOK_MS);
    this.#moments.once('ended', resolve);
    await promise;
    clearTimeout(timer);
    this.#moments.off('ended', resolve);
    // pg counts a connection as idle a moment after it says that it was given back.
    await turn();
  }
}

const pulsed = { max: 1, connectionTimeoutMillis: PULSE_MS, query_timeout: PULSE_MS };

function inUse(pool: pg.Pool): number {
  return pool.totalCount - pool.idleCount + pool.waitingCount;
}

/** A pool that is told to end serves nobody who waits for a connection of it: those first. */
async function endOf(pool: pg.Pool): Promise<void> {
  while (pool.waitingCount > 0)
    await new Promise<void>((resolve) => pool.once('release', () => setImmediate(resolve)));
  await pool.end();
}
