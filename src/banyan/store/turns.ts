// Whose statement it is, where several pieces of work share one transaction: each must look as if it had been alone in
// it, and a row lock does not protect from other work in the same transaction. So the statements of one piece are sent one after the
// other with nobody's between them. Pieces that are likely to be of one wave (all statements sent before the first
// answer is read) go side by side, and leave as one pipeline. One that sends a second wave after somebody else has
// spoken is refused, and with it the transaction: its pieces are done one by one then. Which kind of work is of one
// wave is seen, not said (Manners).
// It must not know what the pieces are.
import { AsyncLocalStorage } from 'node:async_hooks';

/** What a transaction is to its statements: an identity. */
type Shared = object;

interface Present {
  readonly transaction: Shared;
  readonly turn?: Turn;
}

const present = new AsyncLocalStorage<Present>();

/** In company it did what only one that is alone in its transaction may do. */
export class OutOfTurn extends Error {
  constructor() {
    super('Two pieces of work in one transaction would have seen each other half done');
    this.name = 'OutOfTurn';
  }
}

/** One piece of work and its statements. */
export class Turn {
  /** Others are at work in the same transaction meanwhile. */
  readonly inCompany: boolean;
  #sent = false;
  #heard = false;
  /** True: it is no piece for company. */
  waited = false;

  constructor(inCompany: boolean) {
    this.inCompany = inCompany;
  }

  sends(wasLast: boolean): void {
    if (this.#heard) this.waited = true;
    if (this.inCompany && this.#sent && !wasLast) throw new OutOfTurn();
    this.#sent = true;
  }

  hears(): void {
    this.#heard = true;
  }

  /** It does what has several statements that nobody here knows of. */
  needsToBeAlone(): void {
    this.waited = true;
    if (this.inCompany) throw new OutOfTurn();
  }
}

/** Times without a second wave, one after the other, after which a kind of work is taken into company. */
const CALM = 16;
/** Kinds of work whose manners are known. */
const MAX_KINDS = 1_000;

/** Which kinds of work are of one wave, as far as anybody saw. */
export class Manners<Kind> {
  readonly #calm = new Map<Kind, number>();

  areGood(kind: Kind): boolean {
    return (this.#calm.get(kind) ?? 0) >= CALM;
  }

  saw(kind: Kind, { waited }: Turn): void {
    if (this.#calm.size >= MAX_KINDS) this.#calm.clear();
    this.#calm.set(kind, waited ? 0 : (this.#calm.get(kind) ?? 0) + 1);
  }
}

/** Does the work inside the transaction: what it asks belongs there. Prisma asks when it is awaited, so that is here. */
export function inside<T>(transaction: Shared, turn: Turn, work: () => Promise<T>): Promise<T> {
  return present.run({ transaction, turn }, async () => await work());
}

export function isInside(transaction: Shared): boolean {
  return present.getStore()?.transaction === transaction;
}

/** Does a piece of work in the transaction that is open here. */
export function inTurn<T>(turn: Turn, work: () => Promise<T>): Promise<T> {
  const here = present.getStore()!;
  // Whoever shares its transaction out among pieces of its own shares it with nobody else: these know of each other only.
  here.turn?.needsToBeAlone();
  return inside(here.transaction, turn, work);
}

export function turnIn(transaction: Shared): Turn | undefined {
  const here = present.getStore();
  return here?.transaction === transaction ? here.turn : undefined;
}
