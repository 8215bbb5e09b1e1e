// The pulse of a product under abuse: its liveness asked every 20 ms on a connection of its own. An answer that is
// late by a second says that the event loop stood for about as long. The worst is what counts: a probe sees it.
import { Pool } from 'undici';

const EVERY_MS = 20;
const TIMEOUT_MS = 2_000;

export interface Pulse {
  /** Milliseconds of each answer; one that never came counts until the pulse was stopped. */
  stop(): Promise<number[]>;
}

/** Resolves once it beats: what stands from then on is seen. */
export async function takePulse(url: string, path = '/health/live'): Promise<Pulse> {
  const pool = new Pool(url, { connections: 64, headersTimeout: 120_000, bodyTimeout: 120_000 });
  const found: number[] = [];
  const open = new Map<number, number>();
  let asked = 0;
  const timer = setInterval(async () => {
    asked += 1;
    const mine = asked;
    open.set(mine, performance.now());
    try {
      const { body } = await pool.request({ method: 'GET', path });
      await body.dump();
    } catch {
      // Lost: counted with those that never came.
      return;
    }
    found.push(performance.now() - open.get(mine)!);
    open.delete(mine);
  }, EVERY_MS);
  const beats = async (count: number) => {
    const enough = found.length + count;
    const deadline = performance.now() + TIMEOUT_MS;
    while (found.length < enough && performance.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await beats(3);
  found.length = 0;
  return {
    async stop() {
      await beats(2);
      clearInterval(timer);
      // Whoever was asked last still has a moment.
      const deadline = performance.now() + TIMEOUT_MS;
      while (open.size > 0 && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 10));
      const now = performance.now();
      for (const since of open.values()) found.push(now - since);
      await pool.destroy();
      return found;
    },
  };
}
