// Every fault that an alarm is for, in the order in which they are struck: first those that may be at once. Alarms that nobody
// strikes are named with the reason.
import * as events from './event-faults.ts';
import type { Fault } from './fault.ts';
import * as hosts from './host-faults.ts';
import * as modules from './module-faults.ts';
import * as outside from './outside-faults.ts';
import * as stores from './store-faults.ts';

export const FAULTS: readonly Fault[] = [
  outside.storageGone,
  outside.postGone,
  outside.cardsSilent,
  outside.decodersKilled,
  events.poison,
  events.keyWaits,
  events.orderStuck,
  modules.addressFloods,
  modules.instanceKilled,
  hosts.gatewayKilled,
  hosts.collectorGone,
  hosts.tokenRevoked,
  hosts.databaseFrozen,
  hosts.databaseKilled,
  stores.diskFull,
  stores.followerFrozen,
  stores.pairBroken,
  modules.lastInstance,
  modules.clockApart,
  modules.cannotStart,
  modules.shareFails,
  modules.ladderFails,
  modules.lagging,
  modules.hashes,
  modules.overload,
  events.relayMissing,
  events.brokerGone,
  events.batchUnreadable,
  hosts.monolithKilled,
];

/** Alarms that are struck by nobody here, and why. */
export const NOT_STRUCK: Readonly<Record<string, string>> = {
  BanyanLogRefuses:
    'needs a Kafka with users: test/kafka-principals.long.test.ts strikes it, and looks at its number',
  BanyanStoreMoveFailed: 'needs five pauses that come to nothing',
  BanyanRequestsBudgetBurns: 'is about hours',
  BanyanOrdersBudgetBurns: 'is about hours',
  BanyanEventsBudgetBurns: 'is about hours',
};
