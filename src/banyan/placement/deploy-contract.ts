// What an operator can ask of releases: the routes under /admin/deploys. A release of a module stands beside the one before it,
// gets nothing, a share of the keys, or all of them, and goes back. Where it is stands in GET /admin/placements.
import type { Static } from 'typebox';
import { closed, defineContract, operation } from '../contract/contract.ts';
import { visible } from '../contract/fields.ts';
import { changedBy, changedByHeader, moduleName, ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';
import { RELEASE } from '../routing/release.ts';
import { Flipped } from './admin-contract.ts';

const reason = Type.Optional(visible({ minLength: 1, maxLength: 500, examples: ['the new release'] }));

/** The module as in GET /admin/placements; `lagging`, and `note`: what else there is to know, in a sentence. */
export const Deployed = Flipped;
export type Deployed = Static<typeof Deployed>;

export const deploys = defineContract('deploys', {
  summary: 'Releases of one module beside one another',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'none-deployed': { status: 409, title: 'No release is deployed' },
    'deploy-running': { status: 409, title: 'Another release is on its way' },
    'no-healthy-instance': { status: 409, title: 'No healthy instance of the release is registered' },
    'contract-incompatible': { status: 409, title: 'The contract of the release breaks its callers' },
    'instance-refuses': { status: 409, title: 'No instance lets this monolith in' },
    'several-releases': { status: 409, title: 'Instances of several releases are there' },
    'host-too-old': { status: 409, title: 'A host cannot tell releases apart' },
  },
  operations: {
    deploy: operation({
      summary: 'Give a release of a module none, a share, or all of its keys',
      description:
        'Which keys: a user, else the Idempotency-Key, else the trace, always the same ones; a larger share moves nobody back. The ' +
        'other keys go to the releases that served before, and none to any third one. Where no instance of the right release can ' +
        'be asked another one answers. 0 stands beside, and may be said before the first instance is there. Answers when every ' +
        'live host applied it, or after 2 s with those that lag.',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/deploys/:module' },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        release: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: 128,
            pattern: RELEASE.source,
            description: 'As its instances say (RELEASE). Left out: the one that is deployed',
            examples: ['1.5.0'],
          }),
        ),
        percent: Type.Optional(
          Type.Integer({
            minimum: 0,
            maximum: 100,
            description: 'Of the keys. Left out: what it has, and 0 where it is new',
            examples: [0],
          }),
        ),
        reason,
        changedBy,
      }),
      example: ofSomeModule,
      output: Deployed,
      idempotent: true,
      errors: [
        'module-unknown',
        'none-deployed',
        'deploy-running',
        'no-healthy-instance',
        'contract-incompatible',
        'instance-refuses',
        'host-too-old',
      ],
    }),
    end: operation({
      summary: 'The deploy is over: from now on all instances of the module are alike',
      access: 'operator',
      scope: 'place',
      http: { method: 'DELETE', path: '/admin/deploys/:module' },
      headers: changedByHeader,
      input: closed({ module: moduleName, changedBy }),
      example: ofSomeModule,
      output: Deployed,
      idempotent: true,
      errors: ['module-unknown', 'several-releases'],
    }),
  },
});
