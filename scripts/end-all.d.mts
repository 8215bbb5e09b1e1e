// The types of end-all.mjs, which any Node from 18 on must run as it is.
/** Ends all that this process has started, in order, and resolves when it is gone. */
export function endAll(): Promise<void>;
