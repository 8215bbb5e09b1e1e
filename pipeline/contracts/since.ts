// The difference between a revision and the working tree of a checkout.
import type { App } from '../../src/banyan/config/app.ts';
import type { Checkout } from '../checkout.ts';
import { layoutOf } from '../layout.ts';
import { diffPromises, type PromiseDiff } from './diff.ts';
import { promisedAt, promisedHere } from './promises.ts';

export async function promiseDiffSince(
  checkout: Checkout,
  revision: string,
  app: App,
): Promise<{ readonly commit: string; readonly diff: PromiseDiff }> {
  const commit = checkout.commit(revision);
  const { folder: modules, library } = layoutOf(checkout.root, app);
  const places = { modules, library };
  const asked = [promisedAt(checkout, commit, revision, places), promisedHere(checkout, places)] as const;
  // Each removes what it has laid out, whichever fails first.
  await Promise.allSettled(asked);
  const [before, now] = await Promise.all(asked);
  return { commit, diff: diffPromises(before, now) };
}
