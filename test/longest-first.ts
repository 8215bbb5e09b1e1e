// In which order the files of a run begin: those that take longest first, so that no worker is left alone with one of
// them when the others have nothing more to do. Vitest knows how long a file takes only where it ran before, and goes by
// its size on a fresh checkout.
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** In seconds on a machine of two cores, where a file takes more than twenty. */
const SECONDS: Readonly<Record<string, number>> = {
  'test/trust/attacker.long.test.ts': 155,
  'test/saga-places.long.test.ts': 120,
  'test/console/inquiries.long.test.ts': 70,
  'test/console/overview.long.test.ts': 58,
  'test/rehearse/alarms/alarms.long.test.ts': 83,
  'test/chaos.long.test.ts': 48,
  'test/npm.long.test.ts': 66,
  'test/slow-clients.long.test.ts': 64,
  'test/chaos.test.ts': 38,
  'test/kafka-principals.long.test.ts': 39,
  'test/fault-stop.test.ts': 41,
  'src/modules/users/users.test.ts': 27,
  'test/flip.test.ts': 26,
  'src/modules/media/media.test.ts': 25,
  'src/modules/orders/orders.test.ts': 25,
  'src/modules/payments/payments.test.ts': 24,
  'test/card-token.long.test.ts': 26,
  'test/saga-chaos.long.test.ts': 23,
  'test/rehearse/share/share.long.test.ts': 45,
  'test/events-kafka.test.ts': 23,
  'test/fault-hop.test.ts': 23,
  'test/upgrade/upgrade.long.test.ts': 22,
  'test/saga-stuck.long.test.ts': 21,
};

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const seconds = ({ moduleId, project }: TestSpecification) =>
      SECONDS[moduleId.slice(project.vitest.config.root.length + 1)] ?? 0;
    return (await super.sort(files)).toSorted((a, b) => seconds(b) - seconds(a));
  }
}
