// How long one body holds the event loop, by operation: counted, decoded, parsed and checked as a host does, for bodies
// of every kind that made some parser or check slow before, each filled up to what the operation takes.
// `npm run bench:bodies` prints the worst of each; nothing may hold it for 50 ms.

import { moduleNames } from '../../src/banyan/config/environment.ts';
import type { Contract, OperationSpec } from '../../src/banyan/contract/contract.ts';
import { exampleInput } from '../../src/banyan/contract/examples.ts';
import { inputCheck } from '../../src/banyan/contract/validation.ts';
import { hasTooManyValues } from '../../src/banyan/contract/value-count.ts';
import { events } from '../../src/banyan/events/operations/contract.ts';
import { loadContract } from '../../src/banyan/host/load.ts';
import { bodyLimitOf } from '../../src/banyan/http/limits.ts';
import { admin } from '../../src/banyan/placement/admin-contract.ts';
import { shopApp } from '../../src/shop.ts';
import { kinds } from './kinds.ts';

const ROUNDS = 5;

/** Milliseconds, the least of some rounds: what the work takes, without what else the machine did. */
function measure(spec: OperationSpec, body: Buffer): number {
  const check = inputCheck(spec.input);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const began = performance.now();
    try {
      if (!hasTooManyValues(body)) check(JSON.parse(body.toString()));
    } catch {
      // Refused: that is an answer, too.
    }
    least = Math.min(least, performance.now() - began);
  }
  return least;
}

const contracts: Contract[] = [
  ...(await Promise.all(moduleNames(shopApp).map((name) => loadContract(shopApp, name)))),
  admin,
  events,
];
let worst = 0;
for (const contract of contracts) {
  for (const [name, spec] of Object.entries(contract.operations)) {
    if (spec.upload) continue;
    const limit = bodyLimitOf(spec);
    const example = exampleInput(spec, contracts);
    const times = kinds(spec, example, limit).map(
      ([kind, body]) => [measure(spec, Buffer.from(body)), kind, body.length] as const,
    );
    const [ms, kind, length] = times.reduce((a, b) => (b[0] > a[0] ? b : a));
    worst = Math.max(worst, ms);
    process.stdout.write(
      `${`${contract.module}.${name}`.padEnd(28)} limit ${String(limit).padStart(7)}  worst ${ms.toFixed(2).padStart(6)} ms  ${kind} (${length} bytes)\n`,
    );
  }
}
process.stdout.write(`worst of all: ${worst.toFixed(2)} ms\n`);
if (worst > 50) process.exitCode = 1;
