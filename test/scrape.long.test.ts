// A scrape while the database stands still, and after it was killed: the host answers in time and says what is wrong, with what
// it knows by itself; what only the database knows is left out, and comes back with it.
import { afterAll, expect, test } from 'vitest';
import { Held } from './fault-held.ts';
import { eventually } from './shop.ts';

const held = new Held();
afterAll(() => held.leave());

/** A reading has four seconds, and Prometheus ten for all of them. */
const IN_TIME_MS = 8_000;

test('a database that stands still takes no scrape with it; one that was killed is counted', async () => {
  const own = held.banyan();
  await own.start();
  const internal = /INTERNAL_PORT is open at (http:\S+?)"/.exec(own.output())![1]!;
  const scrape = async () => {
    const answer = await fetch(`${internal}/metrics`, { signal: AbortSignal.timeout(IN_TIME_MS) });
    expect(answer.status).toBe(200);
    return answer.text();
  };
  const reached = /^banyan_control_reachable\{.*\} 1$/m;
  const waiting = /^banyan_events_outbox_waiting\{module="orders"/m;
  const before = await scrape();
  for (const one of [reached, waiting]) expect(before).toMatch(one);
  expect(before).toMatch(/^banyan_embedded_postgres_restarts_total\{server="shared",.*\} 0$/m);

  const frozen = held.freeze();
  try {
    await eventually(async () => {
      const text = await scrape();
      expect(text).toMatch(/^banyan_control_reachable\{.*\} 0$/m);
      expect(text).toMatch(/^banyan_store_reachable\{module="orders",.*\} 0$/m);
      expect(text).not.toMatch(waiting);
      expect(text).toMatch(/^banyan_placement\{module="orders",placement="in-process",.*\} 1$/m);
      expect(text).toMatch(/^process_cpu_seconds_total/m);
    }, 40_000);
  } finally {
    for (const pid of frozen) process.kill(pid, 'SIGCONT');
  }
  await eventually(async () => {
    const text = await scrape();
    for (const one of [reached, waiting]) expect(text).toMatch(one);
  });

  process.kill(held.find()!, 'SIGKILL');
  await eventually(async () => {
    const text = await scrape();
    expect(text).toMatch(/^banyan_embedded_postgres_restarts_total\{server="shared",.*\} 1$/m);
    for (const one of [reached, waiting]) expect(text).toMatch(one);
  });
});
