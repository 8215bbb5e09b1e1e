// What a comparison refuses, in the form that every failure of the command line has.

import { Failure } from '../../src/cli/failure.ts';
import { Refusal } from '../errors/refusal.ts';

export async function refused(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    throw error instanceof Refusal ? asFailure(error) : error;
  });
}

function asFailure({ code, title, message, next, errors }: Refusal): Failure {
  return new Failure(
    {
      type: `urn:banyan:problem:cli:${code}`,
      title,
      status: 400,
      code,
      detail: message,
      ...(errors.length > 0 && {
        errors: errors.map(({ path, message: text }) => ({ path, message: text })),
      }),
    },
    next,
  );
}
