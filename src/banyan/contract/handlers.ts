// What implements an operation, by its contract: what it is given and what it answers. Types only.
import type { Call, Download, SessionCall, UploadCall } from '../context/call.ts';
import type { Access, Contract, InputOf, OperationSpec, OutputOf } from './contract.ts';

/** What the contract of an operation makes sure of: a user where a session is needed, a file where one is taken. */
export type CallOf<O extends OperationSpec> = Access extends O['access']
  ? Call
  : (O['access'] extends 'session' ? SessionCall : Call) &
      (O['upload'] extends undefined ? Call : UploadCall);

/** What answers an operation: JSON, or a download. */
export type Handler<O extends OperationSpec> = (
  input: InputOf<O>,
  call: CallOf<O>,
) => Promise<NonNullable<O['download']> extends true ? Download : OutputOf<O>>;

export type Handlers<C extends Contract> = {
  readonly [K in keyof C['operations']]: Handler<C['operations'][K]>;
};
