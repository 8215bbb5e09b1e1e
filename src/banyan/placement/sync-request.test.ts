// What services send to control: whatever it is, it passes or is refused with the paths that are wrong.
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Problem } from '../contract/problem.ts';
import { admin } from './admin-contract.ts';
import { type CanonicalContract, canonicalContract } from './canonical.ts';
import { compareContracts } from './compatibility.ts';
import { checkSync } from './sync-request.ts';

const contract = canonicalContract(admin);
const beat = { host: randomUUID(), appliedVersion: 1, ready: true, draining: false, inflight: {}, busy: {} };
const register = {
  host: randomUUID(),
  id: 'admin-1',
  role: 'service',
  modules: ['admin'],
  url: 'http://127.0.0.1:1',
  doors: ['ws'],
  process: { machine: 'a', pid: 1, started: 'now' },
  contracts: { admin: contract },
};
const sync = (more: object) => ({ tag: '', waitMs: 0, ...more });
const registered = (more: object) => sync({ register: { ...register, ...more } });
const promised = (part: object) => registered({ contracts: { admin: { ...contract, ...part } } });
const operation = (more: object) =>
  promised({ operations: { place: { ...contract.operations.place, ...more } } });

function pathsOf(body: unknown): string[] {
  try {
    checkSync(body);
    return [];
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    expect(error.status).toBe(422);
    return error.body.errors!.map(({ path }) => path);
  }
}

const at = '/register/contracts/admin';
const nested = JSON.parse(`${'{"items":'.repeat(6000)}{}${'}'.repeat(6000)}`);

describe('what a service sends', () => {
  it('passes', () => {
    expect(pathsOf(registered({}))).toEqual([]);
    expect(pathsOf(sync({ beat }))).toEqual([]);
  });

  it.each<[string, unknown, string[]]>([
    ['nothing', undefined, ['']],
    ['a list', [], ['']],
    [
      'a contract of nothing',
      registered({ contracts: { media: {} } }),
      ['operations', 'events', 'errors'].map((part) => `/register/contracts/media/${part}`),
    ],
    ['a contract that is none', registered({ contracts: { admin: null } }), [at]],
    ['operations as a list', promised({ operations: [] }), [`${at}/operations`]],
    ['an operation of null', promised({ operations: { place: null } }), [`${at}/operations/place`]],
    ['an operation without schemas', operation({ input: undefined }), [`${at}/operations/place/input`]],
    ['an input that is a text', operation({ input: 'any' }), [`${at}/operations/place/input`]],
    [
      'properties as a list',
      operation({ input: { type: 'object', properties: [] } }),
      [`${at}/operations/place/input/properties`],
    ],
    [
      'a field of null',
      operation({ input: { properties: { a: null } } }),
      [`${at}/operations/place/input/properties/a`],
    ],
    [
      'required as a number',
      operation({ output: { type: 'object', required: 7 } }),
      [`${at}/operations/place/output/required`],
    ],
    ['variants of null', operation({ output: { anyOf: [null] } }), [`${at}/operations/place/output/anyOf/0`]],
    ['an enum of one text', operation({ input: { enum: 'a' } }), [`${at}/operations/place/input/enum`]],
    [
      'a schema nested 6,000 deep',
      operation({ input: nested }),
      [
        expect.stringMatching(
          /^\/register\/contracts\/admin\/operations\/place\/input\/items\/items\//,
        ) as unknown as string,
      ],
    ],
    ['NUL in a contract', operation({ input: { const: 'a\u0000' } }), [`${at}/operations/place/input/const`]],
    ['a name of half a character', sync({ beat: { ...beat, busy: { '\ud800': 1 } } }), ['/beat/busy/\ud800']],
    ['an address that is none', registered({ url: 'http://' }), ['/register/url']],
    [
      'a pid past 32 bits',
      registered({ process: { ...register.process, pid: 2 ** 31 } }),
      ['/register/process/pid'],
    ],
    [
      'a machine of NUL',
      registered({ process: { ...register.process, machine: '\u0000' } }),
      ['/register/process/machine'],
    ],
    [
      'a version past every integer',
      sync({ beat: { ...beat, appliedVersion: 1e300 } }),
      ['/beat/appliedVersion'],
    ],
    [
      'a store that is half held',
      sync({ beat: { ...beat, stores: { a: { epoch: 1, held: 1, open: 0 } } } }),
      ['/beat/stores/a/held'],
    ],
    ['more requests than there can be', sync({ beat: { ...beat, busy: { a: 1e15 } } }), ['/beat/busy/a']],
  ])('is refused as %s', (_what, body, paths) => {
    expect(pathsOf(body)).toEqual(paths);
  });

  it.each(['output', 'input'])(
    'is compared in no more steps than it has parts, however the variants of its %s are nested',
    (part) => {
      const variants = (levels: number): object =>
        levels === 0 ? { type: 'string' } : { type: 'object', anyOf: [variants(levels - 1)] };
      const theirs = {
        ...contract,
        operations: {
          ...contract.operations,
          place: { ...contract.operations.place, [part]: variants(60) as never },
        },
      };
      // Twice the work a level would be 2 to the power of 60.
      expect(compareContracts(contract, theirs as CanonicalContract).breaking).toHaveLength(1);
    },
  );

  it('is compared by its own fields, and by none that every object has', () => {
    const theirs: CanonicalContract = {
      ...contract,
      operations: { ...contract.operations, constructor: contract.operations.place! },
      errors: { ...contract.errors, toString: 404 },
    };
    expect(compareContracts(contract, theirs)).toEqual({
      breaking: [],
      compatible: [
        { path: '/operations/constructor', message: 'the operation is new' },
        { path: '/errors/toString', message: 'the error is new' },
      ],
    });
    expect(compareContracts(theirs, contract).breaking).toEqual([
      { path: '/operations/constructor', message: 'the operation is missing' },
    ]);
  });
});
