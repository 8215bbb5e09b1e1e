// The life of a delivery: one event at one consumer. One row of `event_delivery` each; the functions in
// tables/inbox.ts make every change of state, under the lock of the event's key.
//
//   (log) ──> done                       the usual: effect, mark and own events in one transaction
//         ──> waiting ──> done           failed, tried again after a pause
//                     ──> dead ──> waiting (redrive) | dropped
//         ──> queued ──> waiting ──> …   behind an earlier event of its key that is not done
//         ──> early ──> queued           came before its predecessor
//         ──> unknown-version ──> waiting   once the consumer knows that major version
//         ──> dead                       poison: nothing that trying again could change

export const deliveryStates = {
  done: 'Its effect is committed. It will not take effect again.',
  waiting: 'It failed, or just reached the head of its key: it is tried at next_at.',
  queued: 'An earlier event of its key is not done; it waits behind that one.',
  early: 'It arrived before its predecessor; it waits for the missing sequence number.',
  'unknown-version': 'Its major version is newer than this consumer; it goes on after an upgrade.',
  dead: 'Its attempts are used up, or it cannot be read. A person decides: redrive or drop.',
  dropped: 'A person gave it up, with a reason. It had no effect.',
} as const;

export type DeliveryState = keyof typeof deliveryStates;

/** The states of which a person or an alarm should hear. */
export const openStates = ['waiting', 'queued', 'early', 'unknown-version', 'dead'] as const;
export type OpenState = (typeof openStates)[number];
