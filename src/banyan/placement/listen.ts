// A LISTEN connection that comes back by itself. What it hears is a hint: after a reconnect it calls back
// once, since it may have missed something. Never throws.
import type pg from 'pg';
import type { Logger } from 'pino';
import { waitAfter } from '../context/backoff.ts';
import { createClient } from '../postgres/connections.ts';
import { onHint } from '../postgres/hint.ts';

/** Changes come one by one, made by people. */
const HINT_MS = 25;
const waits = { firstMs: 100, longestMs: 2000 };

export interface ListenOptions {
  readonly url: string;
  readonly channel: string;
  readonly onChange: () => void;
  readonly log: Logger;
}

/** Starts listening; answers what stops it. */
export function listen({ url, channel, onChange, log }: ListenOptions): () => Promise<void> {
  const hint = onHint(HINT_MS, () => stopped || onChange());
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let losses = 0;
  let stopped = false;

  const connect = async () => {
    const next = createClient({ connectionString: url, connectionTimeoutMillis: 2000 });
    client = next;
    next.on('notification', hint);
    // Both may come for one loss, and errors again later; the first counts.
    next.on('error', () => lost(next));
    next.on('end', () => lost(next));
    try {
      await next.connect();
      await next.query(`LISTEN ${channel}`);
      losses = 0;
      onChange();
    } catch (error) {
      log.debug({ error: (error as Error).message }, 'cannot listen for changes of placement, polling');
      lost(next);
    }
  };

  const lost = (which: pg.Client) => {
    if (stopped || which !== client) return;
    client = undefined;
    void which.end().catch(() => {});
    losses += 1;
    retry = setTimeout(connect, waitAfter(losses, waits));
  };

  void connect();
  return async () => {
    stopped = true;
    clearTimeout(retry);
    await client?.end().catch(() => {});
  };
}
