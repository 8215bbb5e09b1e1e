// Two sides of the same promises, told as lists: what was added, what changed, what is broken, for each module, for what
// the host promises of itself, and in the two documents.
import type { Contract } from '../../src/banyan/contract/contract.ts';
import { canonicalContract } from '../../src/banyan/placement/canonical.ts';
import { asyncapiChanges } from './asyncapi.ts';
import { type Change, kinds, pairs } from './change.ts';
import { openapiChanges } from './openapi.ts';
import type { Promised } from './promises.ts';
import { contractChanges } from './rules.ts';

export interface Place {
  readonly path: string;
  readonly message: string;
}

export interface Lists {
  readonly broken: readonly Place[];
  readonly changed: readonly Place[];
  readonly added: readonly Place[];
}

export interface ContractDiff extends Lists {
  readonly module: string;
}

/** Of a document: places that a contract says already are counted in `said`, with the contract. */
export interface DocumentDiff extends Lists {
  readonly said: number;
}

export interface PromiseDiff {
  readonly broken: number;
  readonly changed: number;
  readonly added: number;
  /** Those in which something differs. */
  readonly modules: readonly ContractDiff[];
  readonly host: readonly ContractDiff[];
  readonly openapi: DocumentDiff;
  readonly asyncapi: DocumentDiff;
}

export function diffPromises(before: Promised, now: Promised): PromiseDiff {
  const modules = diffContracts(before.modules, now.modules);
  const host = diffContracts(before.host, now.host);
  const saidOf = (some: (change: Change) => boolean) =>
    new Set(
      [...modules, ...host].flatMap(({ module, changes }) =>
        changes.filter(some).map(({ path }) => `${module}.${path.split('/')[2]}`),
      ),
    );
  const said = saidOf(() => true);
  // What is broken is told already only by a contract that calls it broken.
  const saidBroken = saidOf(({ kind }) => kind === 'broken');
  const document = (changes: readonly Change[]): DocumentDiff => {
    const own = changes.filter(
      ({ kind, of }) => of === undefined || !(kind === 'broken' ? saidBroken : said).has(of),
    );
    return { ...listsOf(own), said: changes.length - own.length };
  };
  const shown = ({ module, changes }: Named): ContractDiff => ({ module, ...listsOf(changes) });
  const diff = {
    modules: modules.map(shown),
    host: host.map(shown),
    openapi: document(openapiChanges(before.openapi, now.openapi)),
    asyncapi: document(asyncapiChanges(before.asyncapi, now.asyncapi)),
  };
  const lists: Lists[] = [...diff.modules, ...diff.host, diff.openapi, diff.asyncapi];
  const [broken, changed, added] = kinds.map((kind) => lists.reduce((sum, one) => sum + one[kind].length, 0));
  return { broken: broken!, changed: changed!, added: added!, ...diff };
}

interface Named {
  readonly module: string;
  readonly changes: readonly Change[];
}

function diffContracts(before: readonly Contract[], now: readonly Contract[]): Named[] {
  const byName = (contracts: readonly Contract[]) =>
    Object.fromEntries(contracts.map((one) => [one.module, canonicalContract(one)]));
  return pairs(byName(before), byName(now)).flatMap(([module, was, is]) => {
    const changes = contractChanges(was, is);
    return changes.length > 0 ? [{ module, changes }] : [];
  });
}

function listsOf(changes: readonly Change[]): Lists {
  const of = (kind: Change['kind']) =>
    changes.filter((one) => one.kind === kind).map(({ path, message }) => ({ path, message }));
  return { broken: of('broken'), changed: of('changed'), added: of('added') };
}
