// What it means when the log in PostgreSQL says "permission denied": this host speaks as the role of a module, and that
// module has no such right. An operator needs to know who was refused what, and whose turn it is.
import { LogRefused } from './port.ts';

/** For `.catch`: throws the error as it is to be told. */
export function refusalTold(error: unknown): never {
  const { code, message, hint } = error as { code?: string; message: string; hint?: string };
  if (code !== '42501') throw error;
  const remedy = hint ?? 'a monolith of this version grants what contracts and listeners say: start it first';
  throw new LogRefused(`The log in PostgreSQL refuses it: ${message}`, remedy.replace(/\.$/, ''), error);
}
