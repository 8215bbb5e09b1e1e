// Passwords at rest: argon2id, at the cost that OWASP names as its first choice (19 MiB, 2 passes, 1 lane:
// about 20 ms of one core here). The work runs on libuv's threads and not on the event loop.
// Guarantees: checking takes the same time whether or not there is an account; at most three hashes are made at once,
// so that libuv keeps a thread for files and names, and whoever comes when 48 wait hears 503 at once.
import { availableParallelism } from 'node:os';
import { type Algorithm, hash, verify } from '@node-rs/argon2';
import { BoundedQueue, type Waiting } from '#banyan';

/** Argon2id; the package's const enum cannot be read where types are stripped. */
const ARGON2ID: Algorithm = 2;

const cost = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Well formed, of today's cost, and the hash of no password. */
const NOBODY = `$argon2id$v=19$m=${cost.memoryCost},t=${cost.timeCost},p=${cost.parallelism}$${'A'.repeat(22)}$${'A'.repeat(43)}`;

/**
 * With the three that run this is below 64, the least that the entrance lets into a module at once:
 * otherwise hashes alone could fill the module. Fifty who register at once are served.
 */
const queue = new BoundedQueue({
  busy: 'More passwords are to be checked than this host can at once.',
  atOnce: Math.min(3, availableParallelism()),
  waiting: 48,
  maxWaitMs: 5000,
  retryAfter: 1,
});

/** In a turn of the queue: whatever belongs to one hash, so that nothing of it is done for those who left. */
export function inTurn<T>(who: Waiting, work: () => Promise<T>): Promise<T> {
  return queue.run(who, work);
}

export function hashPassword(password: string): Promise<string> {
  return hash(spelled(password), cost);
}

/** @param stored undefined when there is no such account: as much work, and false. */
export function isPassword(stored: string | undefined, password: string): Promise<boolean> {
  return verify(stored ?? NOBODY, spelled(password));
}

/** One spelling for what looks alike: keyboards differ in how they compose an accent (NIST SP 800-63B). */
export function spelled(password: string): string {
  return password.normalize('NFKC');
}
