// ADMIN_TOKEN, compared in constant time: neither its length nor how much of a guess was right can be timed.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Answers whether a given token is the operator's. */
export function createAdminCheck(adminToken: string): (given: string | undefined) => boolean {
  const expected = digest(adminToken);
  return (given) => given !== undefined && timingSafeEqual(digest(given), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
