// What the page is told of the system with its first answer. A type alone: server and page both stand on it.
import type { Scope } from '../context/scopes.ts';

export interface SignedIn {
  /** As the person who signed in said. */
  readonly name: string;
  /** Whose token it is. */
  readonly as: string;
  readonly scopes: readonly string[];
}

/** What can be seen of this system on this host; a page for what cannot is not shown. */
export interface Has {
  readonly events: boolean;
  readonly letters: boolean;
  readonly sagas: boolean;
  readonly traces: boolean;
  readonly compare: boolean;
  readonly stores: boolean;
  readonly audit: boolean;
}

/** One operation on sagas, as the page asks for it. */
export interface SagaAsk {
  /** As in the contract: `:name` stands for the id of the saga. */
  readonly path: string;
  readonly method: string;
  readonly needs: readonly Scope[];
  /** The words in a terminal, with `:name` likewise; null: there are none. */
  readonly command: string | null;
}

/** The sagas of one module, found by what its contract says of its operations. */
export interface SagaDesk {
  readonly module: string;
  /** What an id is called there, such as `parcelId`. */
  readonly idName: string;
  readonly list: SagaAsk;
  readonly show: SagaAsk;
  readonly style: SagaAsk | null;
  readonly retry: SagaAsk | null;
  readonly cancel: SagaAsk | null;
}

export interface System {
  readonly product: string;
  readonly version: string;
  /** Where the console is, such as `/console`. */
  readonly prefix: string;
  /** A gateway alone serves it: it has no module's store, and what lies there is seen at a monolith. */
  readonly gateway: boolean;
  /** Null: nobody is signed in. */
  readonly operator: SignedIn | null;
  /** Of the product, by name. */
  readonly modules: readonly string[];
  /** Those of which something can be tried in shadow. */
  readonly shadowable: readonly string[];
  readonly has: Has;
  readonly sagas: readonly SagaDesk[];
}
