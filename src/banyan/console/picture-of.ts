// From what was read to the picture: pure. The words are those of the admin answers, so that the page, `banyan status` and the
// API say the same.

import type { EventsOverview } from '../events/operations/schemas.ts';
import type { Entry, InstanceStatus, Overview } from '../placement/admin-contract.ts';
import type { HostRow, Tables } from '../placement/tables.ts';
import type { Transfer } from '../placement/transfer-contract.ts';
import type { StoreEntry } from '../servers/desk/contract.ts';
import { CLIENTS } from '../telemetry/stats.ts';
import type { Flips } from './flips.ts';
import type { Heard } from './heard.ts';
import type { Rates } from './rates.ts';
import type {
  Picture,
  PictureArrow,
  PictureCost,
  PictureHost,
  PictureInstance,
  PictureModule,
  PictureStore,
  PictureTransfer,
} from './shared/picture-shape.ts';

export interface Pieces {
  readonly tables: Tables;
  readonly overview: Overview;
  readonly hosts: Heard;
  /** Undefined: this host has no module's store. */
  readonly events: EventsOverview | undefined;
  readonly stores: readonly StoreEntry[];
  readonly transfers: readonly Transfer[];
  /** Stuck ones by module; undefined: nobody counts them here. */
  readonly stuck: Readonly<Record<string, number>> | undefined;
  /** Hosts that come up (starts.ts). */
  readonly starting: ReadonlySet<string>;
}

export type KnownPieces = Partial<Pieces> & { readonly missing: Picture['missing'] };

export function pictureOf(pieces: KnownPieces, rates: Rates, flips: Flips): Picture {
  const at = Date.now();
  const hosts = hostsOf(pieces, at);
  return {
    at,
    version: pieces.overview?.version ?? pieces.tables?.version ?? 0,
    modules: modulesOf(pieces, rates, flips),
    hosts,
    refs: refsOf(pieces, rates),
    arrows: arrowsOf(pieces.events),
    ...(pieces.stuck && { stuck: pieces.stuck }),
    ...recordedOf(pieces.tables),
    cost: { 'in-process': costOf(hosts, false), service: costOf(hosts, true) },
    missing: pieces.missing,
  };
}

function recordedOf(tables: Tables | undefined): Pick<Picture, 'recorded'> {
  const { recordingSince: since, recordingUntil: until } = tables ?? {};
  return since && until ? { recorded: { since, until } } : {};
}

function modulesOf(
  { tables, overview, events, stores, transfers, starting }: KnownPieces,
  rates: Rates,
  flips: Flips,
): Picture['modules'] {
  const modules: Record<string, PictureModule> = {};
  const numbers = rates.modules();
  const uses = tables?.uses ?? {};
  for (const entry of overview?.modules ?? []) {
    const { module } = entry;
    const flip = flips.of(module);
    const flow = events?.modules.find((one) => one.module === module);
    const store = stores?.find((one) => one.module === module);
    const transfer = transfers?.find((one) => one.module === module);
    modules[module] = {
      ...placedOf(
        entry,
        (tables?.hosts ?? []).filter(({ host }) => starting?.has(host)),
      ),
      uses: uses[module] ?? [],
      layer: layerOf(module, uses),
      numbers: numbers[module] ?? {},
      ...(flip && { flip }),
      ...(store && { store: storeOf(store) }),
      ...(transfer && { transfer: transferOf(transfer) }),
      ...(flow && eventsOf(flow)),
    };
  }
  return modules;
}

function eventsOf({
  outbox,
  deliveries: { dead, waiting },
  parked,
  refused,
}: EventsOverview['modules'][number]) {
  const unread = parked.length + refused.length;
  return { outbox, dead, retrying: waiting, ...(unread > 0 && { unread }) };
}

/** @param starting hosts. */
function placedOf(entry: Entry, starting: readonly HostRow[]) {
  const {
    placement,
    percent,
    desired,
    changedAt,
    changedBy,
    mirror,
    mirrorPaused,
    ladder,
    deploy,
    tooOld,
    instances,
  } = entry;
  return {
    placement,
    percent,
    desired,
    changedAt,
    changedBy,
    ...(mirror && { mirror }),
    ...(mirrorPaused !== undefined && { mirrorPaused }),
    ...(ladder && { ladder }),
    ...(deploy && { deploy }),
    ...(tooOld && { tooOld }),
    instances: Object.fromEntries(instances.map((one) => [one.id, instanceOf(one, starting)])),
  };
}

function instanceOf(one: InstanceStatus, starting: readonly HostRow[]): PictureInstance {
  const { pid, url, release, healthy, draining, supervised, heldOut = [], differences, lastExit } = one;
  return {
    ...(pid !== null && { pid }),
    ...(url !== null && { url }),
    ...(release !== undefined && { release }),
    healthy,
    ...(isStarting(one, starting) && { starting: true as const }),
    draining,
    supervised,
    ...(heldOut.length > 0 && { heldOut: heldOut.map(({ by, reason }) => `${by}: ${reason}`).join('; ') }),
    ...(differences.length > 0 && {
      differs: differences.map(({ path, message }) => `${path} ${message}`).join('; '),
    }),
    ...(lastExit !== undefined && { lastExit }),
  };
}

/** It has registered and comes up; or it is wanted and none has registered or ended yet. */
function isStarting(one: InstanceStatus, starting: readonly HostRow[]): boolean {
  const { id, pid, url, healthy, draining, lastExit } = one;
  if (healthy || draining) return false;
  return url === null ? lastExit === undefined : starting.some((host) => host.id === id && host.pid === pid);
}

function storeOf({ server, epoch, state, step, lag }: StoreEntry): PictureStore {
  return { server, epoch, state, ...(step !== null && { step }), ...(lag !== null && { lagBytes: lag }) };
}

function transferOf({
  id,
  to,
  percent,
  step,
  reason,
  startedBy,
  startedAt,
  changedAt,
}: Transfer): PictureTransfer {
  const share = percent === undefined ? {} : { percent };
  return { id, to, ...share, step, startedBy, startedAt, changedAt, ...(reason !== null && { reason }) };
}

/** The longest way down along refs, which form no cycle; what would be one ends it. */
export function layerOf(
  module: string,
  uses: Readonly<Record<string, readonly string[]>>,
  above: readonly string[] = [],
): number {
  const below = (uses[module] ?? []).filter((one) => one !== module && !above.includes(one));
  if (below.length === 0) return 0;
  return 1 + Math.max(...below.map((one) => layerOf(one, uses, [...above, module])));
}

function hostsOf({ tables, hosts }: KnownPieces, at: number): Picture['hosts'] {
  const found: Record<string, PictureHost> = {};
  for (const row of tables?.hosts ?? []) {
    const heard = hosts?.get(row.host);
    found[row.host] = {
      id: row.id,
      role: row.role,
      pid: row.pid,
      live: row.live,
      ready: row.ready,
      draining: row.draining || row.retiring,
      version: row.appliedVersion,
      busy: sum(row, 'busy'),
      inflight: sum(row, 'inflight'),
      ...(heard?.cpu !== undefined && { cpu: Math.round(heard.cpu * 1000) / 1000 }),
      ...(heard?.cost && { memoryBytes: heard.cost.memoryBytes }),
      ...(heard?.silent !== undefined && {
        silent: heard.silent,
        ...(heard.at !== undefined && { numbersAge: at - heard.at }),
      }),
    };
  }
  return found;
}

const sum = (row: HostRow, of: 'busy' | 'inflight') =>
  Object.values(row[of]).reduce((all, one) => all + one, 0);

/** All that may be called, and what was asked. */
function refsOf({ tables, overview }: KnownPieces, rates: Rates): Picture['refs'] {
  const known = new Set(overview?.modules.map(({ module }) => module));
  const refs: Record<string, Picture['refs'][string]> = {};
  for (const module of known) refs[`${CLIENTS}>${module}`] = {};
  for (const [caller, uses] of Object.entries(tables?.uses ?? {}))
    for (const module of uses) if (known.has(caller)) refs[`${caller}>${module}`] = {};
  return { ...refs, ...rates.refs() };
}

const TOPIC = /\.events$/;

function arrowsOf(events: EventsOverview | undefined): Picture['arrows'] {
  const arrows: Record<string, PictureArrow> = {};
  for (const { module, lag } of events?.modules ?? [])
    for (const { topic, events: count, seconds } of lag?.topics ?? []) {
      const publisher = topic.replace(TOPIC, '');
      const relay = events!.modules.find((one) => one.module === publisher)?.relay;
      arrows[`${publisher}>${module}`] = {
        perSecond: Math.round(10 * (relay?.perSecond ?? 0)) / 10,
        events: count,
        ...(seconds !== null && { seconds: Math.round(10 * seconds) / 10 }),
      };
    }
  return arrows;
}

function costOf(hosts: Picture['hosts'], services: boolean): PictureCost {
  const side = Object.values(hosts).filter(({ live, role }) => live && (role === 'service') === services);
  const total = (of: 'cpu' | 'memoryBytes') => side.reduce((all, one) => all + (one[of] ?? 0), 0);
  return {
    processes: side.length,
    cpu: Math.round(1000 * total('cpu')) / 1000,
    memoryBytes: total('memoryBytes'),
  };
}
