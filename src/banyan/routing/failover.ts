// What may follow when an instance failed under a request of a client or a call between modules; the same for both.
// What was never begun goes to the next instance, whatever it is. What may have begun is repeated once, and only where
// its operation is idempotent: a request that ends every process that takes it must not end them all. When nobody is
// left, the placements are read again, once.
// It does not choose the instance and sends nothing.

/** One request or call over all of its attempts. `Where` is what tells instances apart. */
export class Attempts<Where> {
  /** Where it failed: not to be asked again. */
  tried: Set<Where> | undefined = undefined;
  /** It was lost once after it may have begun: its one repeat is used up. */
  begun = false;
  /** The placements were read again for it. */
  refreshed = false;

  /** An attempt failed, there if anywhere; `begun`: it may have been begun. Answers whether another may follow. */
  mayFollow(where: Where | undefined, begun: boolean, idempotent: boolean): boolean {
    if (begun && (this.begun || !idempotent)) {
      this.begun = true;
      return false;
    }
    this.begun ||= begun;
    if (where !== undefined) {
      this.tried ??= new Set();
      this.tried.add(where);
    }
    return true;
  }

  /** Nobody is left. Answers whether to read the placements again; whoever lost it may then be asked anew. */
  mayLookAgain(): boolean {
    if (this.refreshed) return false;
    this.refreshed = true;
    this.tried = undefined;
    return true;
  }
}

/** Codes of undici and of the system for failures that come before a byte was sent. */
const nothingSent = new Set([
  'EAI_AGAIN',
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** Nothing of it can have begun: anything may be asked of another instance. */
export function wasNothingSent(code: string | undefined): boolean {
  return code !== undefined && nothingSent.has(code);
}
