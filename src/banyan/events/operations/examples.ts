// The fields of the examples that depend on which modules there are, and on the time: the library names no module. They
// are made when the document is. It must not know what any event means.
import type { Contract, EventDefinition } from '../../contract/contract.ts';
import { exampleOf } from '../../contract/examples.ts';

const HOUR_MS = 3_600_000;

const producers = (contracts: readonly Contract[]) =>
  contracts.filter(({ events }) => Object.keys(events).length > 0);

/** The last hour, computed when the document is made: a fixed hour would soon be too long ago. */
export const ofLastHour = () => ({
  from: new Date(Date.now() - HOUR_MS).toISOString(),
  until: new Date().toISOString(),
});

export const ofReplay = (contracts: readonly Contract[]) => ({
  ...ofLastHour(),
  topic: `${producers(contracts)[0]?.module}.events`,
  to: producers(contracts).at(-1)?.module,
  cursor: undefined,
});

export const ofSkip = (contracts: readonly Contract[]) => ({
  topic: `${producers(contracts)[0]?.module}.events`,
});

export const ofTail = (contracts: readonly Contract[]) => ({
  topic: `${producers(contracts)[0]?.module}.events`,
  from: new Date(Date.now() - HOUR_MS).toISOString(),
  waitMs: 0,
  cursor: undefined,
});

/** An event of the last kind that the last module publishes, under its key. */
export const ofPublish = (contracts: readonly Contract[]) => {
  const event = Object.values(producers(contracts).at(-1)?.events ?? {}).at(-1) as
    | EventDefinition
    | undefined;
  if (!event) return {};
  const data = exampleOf(event.data) as Record<string, unknown>;
  return { topic: event.topic, key: data[event.key], message: { type: event.type, data } };
};
