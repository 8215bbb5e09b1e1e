// Answers that were problems (RFC 9457), counted by the module and the code, and requests that a module's store refused, by the
// kind of outage. Counted where the problem was made: what a service answered is the service's, not also its gateway's. What
// a gate shed at the entrance is counted there (gateway/load/shedding.ts).
import { isOutage, outageKind, outageKinds } from '../context/outage.ts';
import type { Contract } from '../contract/contract.ts';
import { libraryErrors, ModuleUnavailable, type Problem } from '../contract/problem.ts';
import type { Count, Instruments } from './instruments.ts';

export interface ProblemCounts {
  /** The series of these contracts begin with 0. */
  expect(contracts: readonly Contract[]): void;
  /** @param module '' where it is the host's own. */
  note(module: string, problem: Problem): void;
}

/** Of the library's, those that an alarm is made of: they are there before the first one. */
const LIBRARY = ['internal', 'unavailable', 'deadline-exceeded', 'bad-gateway'] as const;

export function countProblems(counter: Instruments['counter']): ProblemCounts {
  const problems: Count = counter('banyan_problems_total', 'Answers that were problems, by their code', {
    module: [],
    code: [],
    status: [],
  });
  const refused: Count = counter(
    'banyan_store_refusals_total',
    'Requests that the store of a module refused, or did not answer',
    { module: [], reason: [] },
  );
  return {
    expect(contracts) {
      for (const { module, errors = {} } of contracts) {
        for (const code of LIBRARY) problems({ module, code, status: String(libraryErrors[code].status) }, 0);
        for (const [code, { status }] of Object.entries(errors))
          problems({ module, code, status: String(status) }, 0);
        for (const reason of outageKinds) refused({ module, reason }, 0);
      }
    },
    note(module, problem) {
      const { code, status, cause } = problem;
      problems({ module, code, status: String(status) });
      // What refused was another host.
      if (problem instanceof ModuleUnavailable) return;
      if (cause !== undefined && isOutage(cause)) refused({ module, reason: outageKind(cause) });
    },
  };
}
