// All dashboards, in the order of who looks at them first.
import type { Board } from './board.ts';
import { architectures } from './boards/architectures.ts';
import { events } from './boards/events.ts';
import { hosts } from './boards/hosts.ts';
import { module } from './boards/module.ts';
import { placements } from './boards/placements.ts';
import { sagas } from './boards/sagas.ts';
import { stores } from './boards/stores.ts';

export const boards: readonly Board[] = [architectures, module, events, sagas, placements, stores, hosts];
