// What an operator can ask of placement: the routes under /admin, for those with the scope.
// The command line is a client of exactly this.
import type { Static } from 'typebox';
import { closed, defineContract, nothing, operation } from '../contract/contract.ts';
import { nullable, time, visible } from '../contract/fields.ts';
import { changedBy, changedByHeader, moduleName, ofSomeModule } from '../contract/operator-fields.ts';
import { Type } from '../contract/type.ts';

const Difference = Type.Object({ path: Type.String(), message: Type.String() });

export const InstanceStatus = Type.Object({
  /** `<module>-<n>`, counted from 1. */
  id: Type.String(),
  /** The process that serves; null while one is being started. */
  pid: nullable(Type.Integer()),
  /** Its internal address; null while one is being started. */
  url: nullable(Type.String()),
  healthy: Type.Boolean(),
  /** Of which release it says to be (RELEASE). Absent: it does not say. */
  release: Type.Optional(Type.String()),
  /** Of a process that this installation's monoliths started; others are started and stopped elsewhere. */
  supervised: Type.Boolean(),
  draining: Type.Boolean(),
  /** Gateways that send it nothing although it beats: requests that come to them are not served by it. */
  heldOut: Type.Optional(
    Type.Array(
      Type.Object({
        by: Type.String({ description: 'The id of the host' }),
        reason: Type.String(),
        since: time(),
      }),
    ),
  ),
  /** How its contract differs, compatibly, from the monolith's. */
  differences: Type.Array(Difference),
  /** How the last process of this number ended, when it did not become healthy since. */
  lastExit: Type.Optional(Type.String()),
});
export type InstanceStatus = Static<typeof InstanceStatus>;

export const PlacementWord = Type.Union([
  Type.Literal('in-process'),
  Type.Literal('shadow'),
  Type.Literal('canary'),
  Type.Literal('service'),
]);

/** The share of the requests that the service gets. */
export const Percent = Type.Integer({ minimum: 0, maximum: 100 });

/** How much of what is served in-process the service is asked as well, to compare: percent of the reads and the writes. */
export const MirrorShares = Type.Object({
  reads: Percent,
  writes: Percent,
  /** Of each operation that writes the first so many in each monolith, whatever the percent is: as ladders place it. */
  first: Type.Optional(Type.Integer({ minimum: 0 })),
});

/** The ladder that the module is on, or was on last (/admin/ladders/:module says more). */
const OnLadder = Type.Object({
  state: Type.Union([
    Type.Literal('running'),
    Type.Literal('paused'),
    Type.Literal('done'),
    Type.Literal('demoted'),
    Type.Literal('stopped'),
  ]),
  /** `shadow`, `10`, `background`. */
  rung: Type.String(),
  /** What brought it there, or what it waits for. */
  reason: Type.String(),
});

export const Entry = Type.Object({
  module: Type.String(),
  placement: PlacementWord,
  percent: Percent,
  /** Absent: nothing is mirrored. */
  mirror: Type.Optional(MirrorShares),
  /** Service processes only, by number. */
  instances: Type.Array(InstanceStatus),
  /** A release beside the one before (/admin/deploys). Absent: whoever is there serves. */
  deploy: Type.Optional(
    Type.Object({
      release: Type.String(),
      /** Of the keys: what its instances get of the service's requests. */
      percent: Percent,
      /** The releases that get the others; '' for instances that say none. Empty: whatever is not this release. */
      before: Type.Array(Type.String()),
    }),
  ),
  /** How many local processes are wanted. */
  desired: Type.Integer({ minimum: 0 }),
  changedAt: time(),
  changedBy: Type.String(),
  /** Live hosts that came later and do not know the word of the placement: to them it is in-process. Absent: none. */
  tooOld: Type.Optional(Type.Array(Type.String())),
  /** Absent: it never was on one. */
  ladder: Type.Optional(OnLadder),
  /** Why some host that should try its requests on the service does not at the moment. Absent: all do. */
  mirrorPaused: Type.Optional(Type.String()),
});
export type Entry = Static<typeof Entry>;

export const Flipped = Type.Object({
  ...Entry.properties,
  /** Live hosts that had not applied the change after 2 s. Absent when all had. */
  lagging: Type.Optional(Type.Array(Type.String())),
  /** What else came of it, in a sentence: a ladder that the module was on is stopped. */
  note: Type.Optional(Type.String()),
});

const Monolith = Type.Object({ pid: Type.Integer(), url: Type.String() });

export const Overview = Type.Object({
  version: Type.Integer(),
  /** The monolith that answers. */
  monolith: Monolith,
  /** All live ones, by their public address. */
  monoliths: Type.Array(
    Type.Object({ ...Monolith.properties, healthy: Type.Boolean(), release: Type.Optional(Type.String()) }),
  ),
  modules: Type.Array(Entry),
});
export type Overview = Static<typeof Overview>;

const MirrorPercent = Type.Number({ description: 'A whole number from 0 to 100', examples: [0] });

export const admin = defineContract('admin', {
  summary: 'Where every module serves, and how to move it',
  errors: {
    'module-unknown': { status: 404, title: 'No such module' },
    'no-healthy-instance': { status: 409, title: 'No healthy instance is registered' },
    'instance-refuses': { status: 409, title: 'No instance lets this monolith in' },
    'last-instance': { status: 409, title: 'The module still serves from its last instance' },
    'start-failed': { status: 502, title: 'A process did not become healthy' },
    'host-too-old': { status: 409, title: 'A host does not know this placement' },
    'percent-invalid': { status: 422, title: 'The percent does not fit the placement' },
    'mirror-invalid': { status: 422, title: 'The mirror does not fit the placement' },
    'drain-timeout': { status: 504, title: 'Requests were still running when the time was up' },
  },
  operations: {
    placements: operation({
      summary: 'Where every module serves now',
      access: 'operator',
      scope: ['read', 'place'],
      http: { method: 'GET', path: '/admin/placements' },
      input: nothing,
      output: Overview,
      idempotent: true,
    }),
    place: operation({
      summary: 'Flip a module; answers when every live host applied it, or after 2 s with those that lag',
      description:
        'canary gives the service a share of the requests and needs percent, 1 to 99; raising it moves nobody back. ' +
        'With the others percent may be left out; 0 and 100 say what they say. In shadow the service answers nobody: of ' +
        'mirror.reads and mirror.writes percent (100 and 5 where they are left out) it is asked what it would answer, to ' +
        'compare. In canary too, where mirror is given.',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/placements/:module' },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        placement: PlacementWord,
        percent: Type.Optional(
          Type.Number({ description: 'In canary, a whole number from 1 to 99', examples: [0] }),
        ),
        mirror: Type.Optional(
          closed({ reads: Type.Optional(MirrorPercent), writes: Type.Optional(MirrorPercent) }),
        ),
        /** Why, for the history. */
        reason: Type.Optional(visible({ minLength: 1, maxLength: 500, examples: ['the new release'] })),
        guard: Type.Optional(
          Type.Boolean({
            description: 'With service: watch it there, and take it back when its requests fail',
            examples: [false],
          }),
        ),
        changedBy,
      }),
      example: ofSomeModule,
      output: Flipped,
      idempotent: true,
      errors: [
        'module-unknown',
        'percent-invalid',
        'mirror-invalid',
        'no-healthy-instance',
        'host-too-old',
        'instance-refuses',
      ],
    }),
    services: operation({
      summary: 'Run so many local processes of a module',
      description:
        'Answers when they are healthy, or gone. 0 waits until no request to them is unfinished; when that ' +
        'takes longer than timeoutMs nothing is stopped.',
      access: 'operator',
      scope: 'place',
      http: { method: 'PUT', path: '/admin/services/:module' },
      headers: changedByHeader,
      input: closed({
        module: moduleName,
        instances: Type.Integer({ minimum: 0, maximum: 16 }),
        timeoutMs: Type.Optional(
          Type.Integer({ minimum: 1, maximum: 600_000, description: 'Default 30000', examples: [30_000] }),
        ),
        changedBy,
      }),
      example: ofSomeModule,
      output: Entry,
      idempotent: true,
      errors: ['module-unknown', 'last-instance', 'start-failed', 'drain-timeout'],
    }),
  },
});
