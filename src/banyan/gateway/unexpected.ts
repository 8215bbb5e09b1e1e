// A 401 that is not the client's: the process refused this gateway's own internal token. By the marker of the answer,
// where it has one. A service in another language need not know it: a 401 that says nothing is believed to be the
// client's only after the process has let in a request of this gateway with nothing of a client in it, or names a
// problem of its own contract. Answers with any other status pass untouched.
import { clocksDiffer, isRefusal, refusalInWords } from '../identity/hop.ts';
import type { Instance } from '../routing/snapshot.ts';
import type { Answered, Callback } from './answer.ts';

/** The code of the error in the place of such an answer. */
export const REFUSED = 'BANYAN_REFUSED';

/** Whether the process lets this gateway in; why not, in words, which are given where they are known. */
export type AskRefusal = (instance: Instance, words: string | undefined) => Promise<string | undefined>;

/** @param next gets the answer, if it is one. @param onRefused is called instead where it is none. */
export function unlessRefused(
  instance: Instance,
  ask: AskRefusal,
  next: Callback,
  onRefused: (error: Error) => void,
): Callback {
  return (error, answer) => {
    if (answer?.statusCode !== 401) return next(error, answer);
    whyRefused(instance, answer, ask).then((words) => {
      if (words === undefined) return next(null, answer);
      answer.body?.destroy?.();
      onRefused(Object.assign(new Error(words), { code: REFUSED }));
    });
  };
}

async function whyRefused(
  instance: Instance,
  { headers, body }: Answered,
  ask: AskRefusal,
): Promise<string | undefined> {
  const words = refusalInWords(instance.id, headers);
  if (isRefusal(headers)) return ask(instance, words);
  if (Buffer.isBuffer(body) && isOfContract(body)) return undefined;
  return ask(instance, clocksDiffer(headers) ? words : undefined);
}

const OURS = /"type"\s*:\s*"urn:banyan:problem:(?!kernel:)/;

function isOfContract(body: Buffer): boolean {
  return OURS.test(body.toString());
}
