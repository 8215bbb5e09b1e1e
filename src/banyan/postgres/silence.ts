// A server that is gone without a word: its network was cut, or its address went to another machine. TCP alone waits a
// quarter of an hour for what was sent, and two hours where nothing was; Node has no setting for the first. Guarantees:
// whoever waits for an answer on a connection hears nothing for so long at most, then that connection is given up, and
// idle ones are found dead by probes.
// It must not know what is asked. What a server may take for one statement is the caller's limit (statement_timeout): a
// connection without one may be silent as long as it likes, and has the probes alone.
import type { Socket } from 'node:net';
import type pg from 'pg';

/** Idle for so long, then ten probes a second apart, as libuv has it: found dead within 20 s. */
const PROBE_AFTER_MS = 10_000;

/** A server that gives a statement up says so at once; the rest is the way. */
const MARGIN_MS = 5_000;

export const probed = { keepAlive: true, keepAliveInitialDelayMillis: PROBE_AFTER_MS } as const;

/** What pg knows of a client that its types do not say. */
interface Waiting {
  readonly connection: { readonly stream: Socket };
  readonly _activeQuery: unknown;
  readonly _sentQueryQueue: readonly unknown[];
}

/** @param client is connected. Without a `statement_timeout` in the configuration nothing is watched. @param marginMs for the way. */
export function endWhenSilent(
  client: pg.ClientBase,
  { statement_timeout: limit }: pg.ClientConfig,
  marginMs = MARGIN_MS,
): void {
  if (!limit) return;
  const { connection } = client as unknown as Waiting;
  const { stream } = connection;
  const afterMs = limit + marginMs;
  // Not as the argument of setTimeout: that is told once, and the first time nobody may wait.
  stream.setTimeout(afterMs).on('timeout', () => {
    const { _activeQuery: asked, _sentQueryQueue: behind } = client as unknown as Waiting;
    if (!asked && behind.length === 0) return;
    const words = `The database server has been silent for ${afterMs / 1000} s`;
    // In the words by which an outage is known (outage.ts).
    stream.destroy(Object.assign(new Error(words), { code: 'ETIMEDOUT' }));
  });
}
