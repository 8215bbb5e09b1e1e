// What is played on several hosts, in this order.
import { clocks } from './clocks.ts';
import { cutDatabase, cutGateway, cutMonolith, cutService, losses, slowService } from './links.ts';
import { movedDatabase, movedService } from './names.ts';
import { rolling, swap } from './restarts.ts';
import type { Scenario } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = [
  rolling,
  swap,
  cutService,
  cutMonolith,
  cutGateway,
  cutDatabase,
  slowService,
  ...losses,
  ...clocks,
  movedService,
  movedDatabase,
];
