// Which of a module's instances a key is for, while a release of the module is deployed beside the one before: the same key,
// the same release, at every host; and whoever is in stays in when the share grows. Guarantee: it is a preference. Where no
// instance of the right release can be asked, another one is: no request fails for the sake of a share.
// While no release is deployed it costs a look at one property.
import type { Share } from '../context/share.ts';
import { bucketOf } from './bucket.ts';
import type { Deploy, Side, Snapshot } from './snapshot.ts';

/** What may be one: a version, a tag of an image, the hash of a commit. */
export const RELEASE = /^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,127}$/;

/** Added to the load of an instance of another release: more than any load, and less than that of one that may be gone. */
const OTHER_RELEASE = 1e6;

/** What to add to the load of an instance of that release, for one request or call. */
export type Preference = (release: string | undefined) => number;

/**
 * Undefined: all instances are alike.
 * @param share needed where `sharesTraffic` (side.ts); without one it is outside of a share.
 */
export function preferenceOf(
  { modules }: Snapshot,
  module: string,
  side: Side,
  share: Share | undefined,
): Preference | undefined {
  const deploy = side === 'service' ? modules[module]?.deploy : undefined;
  return deploy && preferenceFor(deploy, isInside(deploy, module, share));
}

/** Hashed apart from the share of the placement: who is in canary is not all of who gets the release. */
function isInside({ percent }: Deploy, module: string, share: Share | undefined): boolean {
  if (percent === 0 || percent === 100) return percent === 100;
  return share !== undefined && bucketOf(`${module} release`, share.key) < percent;
}

/** @param inside the key is in the share of the release. */
export function preferenceFor({ release, before }: Deploy, inside: boolean): Preference {
  return (of = '') => {
    if (of === release) return inside ? 0 : 2 * OTHER_RELEASE;
    const rank = before.includes(of) ? 0 : 1;
    return (inside ? rank + 1 : rank) * OTHER_RELEASE;
  };
}

/** Whether a key decides which release is asked. */
export const sharesRelease = (deploy: Deploy | undefined): boolean =>
  deploy !== undefined && deploy.percent > 0 && deploy.percent < 100;
