// Keys by which hosts speak, and tokens of operators: what is not known any more, what a rotation has left half done, and what
// nobody has replaced for long. Pure: it is told what lies in the ring and who is there. It sees no private half.
import { firstOperator } from '../context/principal.ts';
import type { Key } from '../placement/key-contract.ts';
import type { OperatorRow } from '../placement/operators.ts';
import type { HostRow } from '../placement/tables.ts';
import { error, type Finding, orWell, warning } from './finding.ts';

const DAY_MS = 86_400_000;
/** A rotation waits five seconds for hosts, and a process that is replaced takes a start. */
const HALF_DONE_MS = 60_000;
/** Of an operator's token, which ends by no date. */
const OLD_MS = 365 * DAY_MS;

/** @param hosts that live. */
export function keysOf(
  hosts: readonly Pick<HostRow, 'id' | 'kid' | 'role'>[],
  keys: readonly Key[],
  now: number,
): Finding[] {
  const byKid = new Map(keys.map((key) => [key.kid, key]));
  // Monoliths and gateways take the present key with each token; a row has the one of their start.
  const services = hosts.filter(({ role }) => role === 'service');
  const spoken = services.flatMap(({ id, kid }): Finding[] => {
    if (kid === null)
      return [
        warning(
          'key',
          id,
          'speaks by INTERNAL_KEY, which every host of the version before has',
          'Replace it by one of this version: docs/operations.md#upgrades',
        ),
      ];
    const key = byKid.get(kid);
    if (!key)
      return [
        error(
          'key',
          id,
          'speaks by a key that is not known: it was revoked, or is of another installation',
          `End it, or give it a key: npx banyan keys issue ${nameOf(id)}`,
        ),
      ];
    if (key.retiredAt === null || now - Date.parse(key.retiredAt) < HALF_DONE_MS) return [];
    return [
      warning(
        'key',
        id,
        'still speaks by a key that was replaced, and is known for an hour more',
        `Its successor does not come up; what does it say? npx banyan logs ${nameOf(id)}`,
      ),
    ];
  });
  const halfDone = keys
    .filter((one) => one.signsFrom === null && !one.issued && now - Date.parse(one.madeAt) > HALF_DONE_MS)
    .map(({ purpose, name }) =>
      warning(
        'key',
        name,
        `a new key (${purpose}) is announced and not used yet: the rotation was not finished`,
        `Go on with it: npx banyan keys rotate ${purpose}`,
      ),
    );
  return orWell(
    [...spoken, ...halfDone],
    'key',
    'hosts',
    'every service speaks by a key that is known and in use',
  );
}

/** `parcels-1` is parcels. */
const nameOf = (id: string) => id.replace(/-\d+$/, '');

export function operatorsOf(operators: readonly OperatorRow[], now: number): Finding[] {
  const valid = operators.filter((one) => one.revokedAt === null && one.name !== firstOperator.name);
  const old = valid
    .filter((one) => now - Date.parse(one.madeAt) > OLD_MS)
    .map(({ name, madeAt, scopes }) =>
      warning(
        'operator',
        name,
        `the token is ${Math.floor((now - Date.parse(madeAt)) / DAY_MS)} days old, and no token ends by itself`,
        `npx banyan operators revoke ${name} && npx banyan operators add ${name} --scope ${scopes.join(' ')}`,
      ),
    );
  const count =
    valid.length === 0 ? 'nobody has a token beside ADMIN_TOKEN' : 'no token is older than a year';
  return orWell(old, 'operator', 'tokens', count);
}
