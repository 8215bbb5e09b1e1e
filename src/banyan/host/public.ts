// The public side of a host: the gateway with the modules that run here, and the host's own operations.

import { lateHandlers } from '../admin/late.ts';
import { createDispatcher, type Dispatcher } from '../calls/dispatcher.ts';
import type { About } from '../doctor/about.ts';
import { doctor as doctorContract } from '../doctor/contract.ts';
import { events as eventsContract } from '../events/operations/contract.ts';
import { lateEventHandlers } from '../events/operations/late.ts';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import { probeAccess } from '../identity/hop.ts';
import { audienceOf } from '../identity/internal-token.ts';
import { ladders as laddersContract } from '../ladder/desk/contract.ts';
import { networksOf } from '../limits/networks.ts';
import { type AdminOptions, adminHandlers, storeErrors } from '../placement/admin.ts';
import { admin } from '../placement/admin-contract.ts';
import { deployHandlers } from '../placement/deploy-admin.ts';
import { deploys } from '../placement/deploy-contract.ts';
import { historyHandlers } from '../placement/history-admin.ts';
import { placements } from '../placement/history-contract.ts';
import { keys as keysContract } from '../placement/key-contract.ts';
import { keyHandlers } from '../placement/key-handlers.ts';
import { operatorHandlers } from '../placement/operators-admin.ts';
import { operators } from '../placement/operators-contract.ts';
import { announceReplay } from '../placement/replay-announcement.ts';
import { transferHandlers } from '../placement/transfer-admin.ts';
import { transfers as transfersContract } from '../placement/transfer-contract.ts';
import { createTransfers } from '../placement/transfers.ts';
import { storeChanges } from '../servers/desk/changes.ts';
import { stores as storesContract } from '../servers/desk/contract.ts';
import { logsHandlers } from '../supervisor/logs.ts';
import { logs as logsContract } from '../supervisor/logs-contract.ts';
import { listenWidely } from './acceptors.ts';
import { createAdminPort } from './admin-port.ts';
import { consoleOf } from './console.ts';
import type { Health } from './health.ts';
import type { Inquiry } from './inquiries.ts';
import { keyLife } from './key-life.ts';
import type { HostLadders } from './ladders.ts';
import type { MovingStores } from './moving-stores.ts';
import { once } from './once.ts';
import type { Parts } from './parts.ts';
import { closePort, portOf } from './ports.ts';
import type { Undo } from './undo.ts';

type AnyHandlers = Parameters<typeof createDispatcher>[1];

/** What is done for the whole product. */
export interface Duties {
  readonly ladders: HostLadders;
  readonly stores: MovingStores;
  readonly inquiries: readonly Inquiry[];
  /** What this host says of itself. */
  readonly about: () => Promise<About>;
}

export interface Public {
  readonly url: string;
  /** Where /admin is, if not there. */
  readonly adminUrl: string | undefined;
  readonly gateway: Gateway;
}

/**
 * @param host this host in the registry, which supervises; null: it does not.
 * @param before what the port waits for: nobody sees a product without the rows that it begins with.
 */
export async function openPublic(
  parts: Parts,
  health: Health,
  host: string | null,
  before: Promise<unknown>,
  undo: Undo,
  duties: Duties,
): Promise<Public> {
  const { settings, log, security, metrics, tracing, contracts, dispatchers, tokens, bearer, control } =
    parts;
  const address = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const url = () => `http://${address}:${portOf(gateway.app)}`;
  const closing = new AbortController();
  const own = operationsOf(parts, host, url, closing.signal, duties, undo);
  const { adminPort: wanted } = settings;
  const proxies = settings.trustProxy.length > 0 ? networksOf(settings.trustProxy) : undefined;
  const adminPort = wanted === undefined ? undefined : createAdminPort(wanted, settings.adminHost);
  // Written, and what writes them loaded, when somebody first asks.
  const document = once(async () => {
    const { openapi } = await import('../contract/openapi.ts');
    return openapi([...contracts, ...own.map(({ contract }) => contract)], settings.app);
  });
  const events = once(async () => (await import('../events/asyncapi.ts')).asyncapi(contracts, settings.app));
  const gateway = await createGateway({
    hostId: 'monolith',
    log,
    security,
    adminSockets: adminPort?.sockets,
    metrics,
    tracing,
    contracts,
    local: dispatchers,
    own,
    placements: control.follower,
    verifyBearer: bearer,
    tokens,
    remote: parts.remote,
    refusals: parts.refusals,
    // Whoever asks for the status hears it from the heartbeat.
    onHeld: () => void control.follower.beat(),
    documents: {
      openapi: document,
      asyncapi: events,
      jwks: () => control.follower.current.jwks ?? { keys: [] },
    },
    proxies,
    console: consoleOf(parts, host, own, proxies, closing.signal),
    rateLimit: settings.rateLimit,
    exempt: parts.exempt,
    health: (app) => health.mount(app),
  });
  // Whoever waits for events gets an answer, and the port can close.
  gateway.app.addHook('preClose', async () => closing.abort());
  undo.push('gateway', () => gateway.close());
  // Where a start is given up; a stop has closed it before.
  undo.push('public port', (ms) => closePort(gateway.app, ms / 2));
  await before;
  adminPort?.closeWith(gateway.app);
  await listenWidely(gateway.app, settings.port, settings.host, 'PORT');
  await adminPort?.open(gateway.app);
  return { url: url(), adminUrl: adminPort?.url(), gateway };
}

/** The host's own operations, all of them for operators. */
function operationsOf(
  parts: Parts,
  host: string | null,
  url: () => string,
  closing: AbortSignal,
  { ladders, stores, inquiries, about }: Duties,
  undo: Undo,
): Dispatcher[] {
  const { settings, log, security, contracts, tokens, control } = parts;
  const { store, follower, keys } = control;
  const probe: AdminOptions['probe'] = ({ url: at, id, legacy }) =>
    probeAccess(at, id, tokens.mint(audienceOf(id), legacy));
  const handlers = adminHandlers({
    store: store!,
    follower,
    host,
    monolith: () => ({ pid: process.pid, url: url() }),
    room: parts.database.upkeep?.makeRoom,
    onPlaced: ladders.onPlaced,
    besides: ladders.besides,
    probe,
  });
  const onOperators = operatorHandlers({ store: store!, follower });
  const onEvents = lateEventHandlers({
    contracts,
    modules: parts.running.map((one) => one.events),
    eventLog: parts.eventLogOf(),
    closing,
    announce: (module) => storeErrors(() => announceReplay(store!, follower, module)),
  });
  const onKeys = keyHandlers({ store: store!, follower, root: keys.root!, life: keyLife, log });
  // A gateway alone writes down what a monolith does.
  const transfers =
    host === null
      ? undefined
      : createTransfers({ store: store!, host, act: { ...handlers, climb: ladders.handlers.start }, log });
  transfers?.start();
  undo.push('transfers', async () => transfers?.stop());
  const onTransfers = transferHandlers({
    store: store!,
    wake: () => transfers?.wake(),
    noLadder: ladders.refusal,
  });
  const options = { codec: settings.codec, security };
  const made = [
    [admin, handlers],
    [deploys, deployHandlers({ store: store!, follower, probe })],
    [placements, historyHandlers(store!, (query) => storeChanges(store!.sql, query))],
    [laddersContract, ladders.handlers],
    [transfersContract, onTransfers],
    [logsContract, logsHandlers(settings.dataDir)],
    [storesContract, stores.handlers],
    [operators, onOperators],
    [eventsContract, onEvents],
    [keysContract, onKeys],
    ...inquiries,
  ] as const;
  const own = made.map(([contract, one]) =>
    createDispatcher(contract, one as unknown as AnyHandlers, options),
  );
  // It asks the others what they know, as an operator would.
  const onDoctor = lateHandlers(doctorContract, async () =>
    (await import('./doctor.ts')).doctorHandlers(parts, about, own),
  );
  return [...own, createDispatcher(doctorContract, onDoctor as unknown as AnyHandlers, options)];
}
