// The life of a delivery: one event at one consumer. One row of `event_delivery` each; the functions in
// tables/take.sql and settle.sql make every change of state, under the lock of the event's key.
// The moves between the states are below; docs/events.md shows them as a picture, and a test compares the two.

export const deliveryStates = {
  done: 'Its effect is committed. It will not take effect again.',
  waiting: 'It failed, or just reached the head of its key: it is tried again when its time comes.',
  queued: 'An earlier event of its key is not done; it waits behind that one.',
  early: 'Its predecessor has not come; it waits, but only some 10 s while nothing of its key ever came.',
  'unknown-version': 'Its major version is newer than this consumer; it goes on after an upgrade.',
  dead: 'Attempts used up, or unreadable. A person decides: redrive or drop.',
  dropped: 'A person gave it up, with a reason. It had no effect.',
} as const;

export type DeliveryState = keyof typeof deliveryStates;

/** Every change of state, and what brings it about. `log`: the event has just come from the log. */
export const deliveryMoves: readonly (readonly [
  from: DeliveryState | 'log',
  to: DeliveryState,
  why: string,
])[] = [
  ['log', 'done', 'its turn, and its effect committed'],
  ['log', 'waiting', 'the first attempt failed'],
  ['log', 'queued', 'an earlier event of its key is not done'],
  ['log', 'early', 'its predecessor has not come'],
  ['log', 'unknown-version', 'a newer major version'],
  ['log', 'dead', 'unreadable, after a later one of its key, or failed with no attempt left'],
  ['waiting', 'done', 'its effect committed, or nobody listens any more'],
  ['waiting', 'waiting', 'failed again, waits longer'],
  ['waiting', 'dead', 'its attempts are used up, or it cannot be read any more'],
  ['waiting', 'unknown-version', 'its turn came, and its version is not known'],
  ['queued', 'waiting', 'it is the head of its key'],
  ['early', 'queued', 'its predecessor came, or is waited for no longer'],
  ['unknown-version', 'queued', 'the consumer was upgraded, or redrive'],
  ['unknown-version', 'dropped', 'drop, with a reason'],
  ['dead', 'queued', 'redrive, perhaps with better data'],
  ['dead', 'dropped', 'drop, with a reason'],
];

/** The picture for the documentation. */
export function deliveryDiagram(): string {
  const name = (state: string) => state.replace('-', '_');
  return [
    'stateDiagram-v2',
    ...Object.keys(deliveryStates)
      .filter((state) => state.includes('-'))
      .map((state) => `    state "${state}" as ${name(state)}`),
    ...deliveryMoves.map(
      ([from, to, why]) => `    ${from === 'log' ? '[*]' : name(from)} --> ${name(to)}: ${why}`,
    ),
    '    done --> [*]',
    '    dropped --> [*]',
  ].join('\n');
}

/** The states of which a person or an alarm should hear. */
export const openDeliveryStates = ['waiting', 'queued', 'early', 'unknown-version', 'dead'] as const;
export type OpenDeliveryState = (typeof openDeliveryStates)[number];
