// Whether every event of a chaos run is where it belongs, once and in order: asked of the product's own verification, which
// holds outboxes, log and inboxes against one another, until nothing is under way any more.
import { setTimeout as pause } from 'node:timers/promises';
import type { Verified } from '../../src/banyan/events/operations/verdict.ts';
import type { Stage } from './stage.ts';

/** In words; empty: nothing was lost or doubled. */
export async function faultsOfEvents(stage: Stage, from: Date, patienceMs: number): Promise<string[]> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const verified: Verified | undefined = await stage
      .admin('GET', `/admin/events/verify?from=${from.toISOString()}`)
      .catch(() => undefined);
    const wrong = verified ? [...faultsOf(verified)] : ['events could not be verified'];
    if (wrong.length === 0 || Date.now() > deadline) return wrong;
    await pause(500);
  }
}

function* faultsOf({ topics, examples, unreadable }: Verified): Generator<string> {
  for (const { topic, consumers, waiting, foreign, ...ofLog } of topics) {
    if (waiting > 0) yield `${topic}: ${waiting} events wait in the outbox`;
    if (foreign > 0) yield `${topic}: ${foreign} events that nobody published`;
    for (const [where, one] of [
      ['log', ofLog] as const,
      ...consumers.map((one) => [one.module, one] as const),
    ])
      for (const fault of ['lost', 'doubled', 'inverted'] as const)
        if (one[fault] > 0) yield `${topic}, ${where}: ${one[fault]} ${fault}`;
    for (const { module, inFlight, open, dead } of consumers)
      if (inFlight + open + dead > 0)
        yield `${topic}, ${module}: ${inFlight} in flight, ${open} open, ${dead} dead`;
  }
  if (unreadable.length > 0) yield `${unreadable.length} parts of the log cannot be read`;
  if (examples.length > 0) yield `for example ${JSON.stringify(examples[0])}`;
}
