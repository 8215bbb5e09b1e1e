// Passwords at rest: argon2id, at the cost that OWASP names as its first choice (19 MiB, 2 passes, 1 lane:
// about 20 ms of one core here). The work runs on libuv's threads and not on the event loop.
// Guarantee: checking takes the same time whether or not there is an account.
import { type Algorithm, hash, verify } from '@node-rs/argon2';

/** Argon2id; the package's const enum cannot be read where types are stripped. */
const argon2id: Algorithm = 2;

const cost = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Well formed, of today's cost, and the hash of no password. */
const nobody = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

export function hashPassword(password: string): Promise<string> {
  return hash(spelled(password), cost);
}

/** @param stored undefined when there is no such account: as much work, and false. */
export function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  return verify(stored ?? nobody, spelled(password));
}

/** One spelling for what looks alike: keyboards differ in how they compose an accent (NIST SP 800-63B). */
function spelled(password: string): string {
  return password.normalize('NFKC');
}
