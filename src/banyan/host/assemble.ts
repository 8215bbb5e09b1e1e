// A host from its settings: the monolith, a service and the gateway alone are the same steps, some left out.
// Guarantees: it takes part in nothing before it can serve; it stops in the order in which nothing is lost (no
// new requests, then those in flight, then its services, then work without a request, the database last).
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import type { Settings } from '../config/settings.ts';
import { identify } from '../context/process.ts';
import { loadChecks } from '../contract/validation.ts';
import { type Background, createBackground } from '../jobs/background.ts';
import { canonicalContract } from '../placement/canonical.ts';
import type { HostReport, Registration } from '../placement/host.ts';
import { removeInstanceFile, writeInstanceFile } from '../supervisor/instance-file.ts';
import { createSupervisor, type Supervisor } from '../supervisor/supervisor.ts';
import { aboutThis } from './about.ts';
import { createHealth, type Health, type HealthState } from './health.ts';
import { measureHost } from './host-metrics.ts';
import { collectGarbageWhenIdle } from './idle-gc.ts';
import { openInquiries } from './inquiries.ts';
import { type Internal, openInternal } from './internal.ts';
import { openLadders } from './ladders.ts';
import { openMovingStores } from './moving-stores.ts';
import { openParts, type Parts } from './parts.ts';
import { measurePlacements } from './placement-metrics.ts';
import { closePort } from './ports.ts';
import { openPublic, type Public } from './public.ts';
import type { RunningHost, StartOptions } from './running.ts';
import { seedAll } from './seeds.ts';
import type { HeldServer } from './server.ts';
import { keyIds, serviceCommand, serviceKeys } from './service-command.ts';
import { BACKGROUND_MS, CLIENTS_MS, DRAIN_MS, GRACE_MS, SERVICES_MS, TELL_MS } from './stopping.ts';
import { type Undo, unlessStopped } from './undo.ts';

/** @param opening the embedded server, on its way since before this file was loaded; undefined: none is needed. */
export async function assemble(
  settings: Settings,
  options: StartOptions,
  opening: Promise<HeldServer> | undefined,
  undo: Undo,
): Promise<RunningHost> {
  const { role } = settings;
  const { log, signal } = options;
  const host = randomUUID();
  const state: HealthState = { booted: false, draining: false };
  const parts = await openParts(settings, opening, options, undo);
  const { follower } = parts.control;
  let open: Public | undefined;
  const held = () => open?.gateway.held() ?? {};
  const health = createHealth(settings, state, follower, () => parts.running, held);
  measure(parts, health, state, held);
  // It waits for the database, what follows for nobody: side by side. What ends the host waits for both.
  const seeded =
    role === 'monolith'
      ? parts.database.alone(() => seedAll(parts.running, follower.current, log))
      : Promise.resolve();
  const settled = seeded.catch(() => {});
  undo.push('seeds', () => settled);
  let duties: ReturnType<typeof openDuties> | undefined;
  const about = aboutThis(parts, () => duties?.ladders.undelivered());
  const internal = await openInternal(parts, health, about, undo);
  const supervises = role === 'monolith' ? host : null;
  if (role !== 'service') duties = openDuties(parts, host, undo);
  if (duties) open = await openPublic(parts, health, supervises, seeded, undo, { ...duties, about });

  signal.throwIfAborted();
  // A service is up with its doors; a monolith when its services are, too.
  state.booted = role === 'service';
  const pulse = createPulse(parts, internal, open, state, health);
  await pulse.look();
  undo.push('placement', () => follower.stop());
  await unlessStopped(signal, follower.register(registration(parts, host, internal, open), pulse.report));
  const supervisor = role === 'monolith' ? await supervise(parts, host, internal, signal, undo) : undefined;
  const background = runBackground(parts);
  state.booted = true;
  duties?.start();
  undo.push('pulse', pulse.start());
  undo.push('heap', collectGarbageWhenIdle());
  // Ready without them, and the first request need not wait for them.
  setImmediate(loadChecks);
  if (open && role === 'monolith') {
    announce(settings.dataDir, open, log);
    undo.push('instance file', () => removeInstanceFile(settings.dataDir));
  }

  let closing: Promise<void> | undefined;
  const close = async () => {
    const begun = performance.now() + settings.drainDelayMs;
    const left = (by: number) => Math.max(0, begun + by - performance.now());
    state.draining = true;
    // Whoever stays judges from now on.
    const judged = duties?.close();
    internal.leave();
    open?.gateway.app.closing.leave();
    const told = pulse.look().then(() => follower.beat());
    await undo.end('registry', () => Promise.all([told, judged]), TELL_MS);
    await new Promise((resolve) => setTimeout(resolve, left(0)));
    if (open) await closePort(open.gateway.app, left(CLIENTS_MS));
    // Each waits its own DRAIN_DELAY_MS before it stops.
    if (supervisor)
      await undo.end('services', (ms) => supervisor.stop(ms), left(SERVICES_MS) + settings.drainDelayMs);
    await undo.end('background work', () => background.stop(), Math.min(BACKGROUND_MS, left(DRAIN_MS)));
    await undo.all(begun + DRAIN_MS);
  };
  return {
    url: open?.url,
    adminUrl: open?.adminUrl,
    internalUrl: internal.url,
    placements: follower,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

function measure(parts: Parts, health: Health, state: HealthState, held: () => HostReport['held']): void {
  const { settings, metrics, database, control } = parts;
  const { follower, store } = control;
  measureHost({ settings, metrics, follower, database, health, state });
  if (store) measurePlacements({ metrics, placements: follower, tables: () => store.read(), held });
}

/** What is done for the whole product by whichever monolith holds its lease: ladders are judged, stores moved. */
function openDuties(parts: Parts, host: string, undo: Undo) {
  const [ladders, stores] = [openLadders(parts, host), openMovingStores(parts, host)];
  undo.push('ladders', () => ladders.close());
  undo.push('moving stores', () => stores.close());
  return {
    ladders,
    stores,
    inquiries: openInquiries(parts, host, undo),
    start() {
      ladders.start();
      stores.coordinator?.start();
    },
    close: () => Promise.all([ladders.close(), stores.close()]),
  };
}

/** For the command line on this machine. A host that keeps nothing on disk has no DATA_DIR, and needs none. */
function announce(dataDir: string, { url, adminUrl }: Public, log: Logger): void {
  if (!existsSync(dataDir)) return;
  try {
    writeInstanceFile(dataDir, url, adminUrl);
  } catch (error) {
    log.warn(
      { err: (error as Error).message },
      'DATA_DIR is not writable: give the command line BANYAN_URL and ADMIN_TOKEN',
    );
  }
}

function registration(
  { settings, modules, tokens }: Parts,
  host: string,
  internal: Internal,
  open: Public | undefined,
): Registration {
  return {
    host,
    id: settings.hostId,
    kid: tokens.kid,
    role: settings.role,
    release: settings.release,
    modules: settings.modules,
    url: internal.url,
    ...(open ? { publicUrl: open.url } : {}),
    doors: ['ws', 'http'],
    process: identify(process.pid)!,
    contracts: Object.fromEntries(
      modules.map(({ contract }) => [contract.module, canonicalContract(contract)]),
    ),
  };
}

/** What heartbeats say of this host: whether its modules reach their stores, and what is on its way. */
function createPulse(
  { settings, remote, control, stores }: Parts,
  { busy }: Internal,
  open: Public | undefined,
  state: HealthState,
  health: Health,
) {
  let ready = false;
  const look = async () => {
    // A monolith that starts its services counts as ready for them: they call it while they boot.
    ready = state.booted ? await health.ready() : settings.role !== 'service';
  };
  const onTheWay = (module: string) => (open?.gateway.inflight(module) ?? 0) + remote.inflight(module);
  const report = (): HostReport => ({
    ready,
    draining: state.draining,
    inflight: Object.fromEntries(
      settings.allModules.map((module) => [module, onTheWay(module)]).filter(([, count]) => count !== 0),
    ),
    busy: busy.counts(),
    held: open?.gateway.held() ?? {},
    stores: stores.report(),
  });
  /** Looks every second; answers what ends it. */
  const start = () => {
    const timer = setInterval(async () => {
      const before = ready;
      await look();
      if (ready !== before) await control.follower.beat();
    }, 1000).unref();
    return () => clearInterval(timer);
  };
  return { look, report, start };
}

async function supervise(
  { settings, database, modules, control, metrics, log }: Parts,
  host: string,
  internal: Internal,
  signal: AbortSignal,
  undo: Undo,
): Promise<Supervisor> {
  const restarts = metrics.counter(
    'banyan_instance_restarts_total',
    'Processes of a module that ended by themselves, and are started again by this monolith',
    { module: settings.allModules },
  );
  const supervisor = createSupervisor({
    host,
    store: control.store!,
    follower: control.follower,
    command: serviceCommand(settings, database, modules, () => internal.url, serviceKeys(control), log),
    kidOf: keyIds(control),
    overlap: settings.internalKey !== undefined,
    dataDir: settings.dataDir,
    log,
    // A service ends by itself within its own bound: SIGKILL is for one that does not.
    graceMs: DRAIN_MS + settings.drainDelayMs + GRACE_MS,
    // Where others reach this host under an address, services are run by whoever runs this one.
    spawnsPlaced: settings.advertiseUrl === undefined,
    onEnded: (module) => restarts({ module }),
  });
  // Before it starts any: a start that is broken off must leave no process behind. Stopping twice is harmless.
  undo.push('services', (ms) => supervisor.stop(ms), DRAIN_MS);
  await unlessStopped(signal, supervisor.start());
  return supervisor;
}

function runBackground({ settings, control, running, log }: Parts): Background {
  const background = createBackground({
    mine: settings.role === 'service' ? 'service' : 'in-process',
    placements: control.follower,
    tasks: new Map(running.map((one) => [one.name, one.tasks])),
    log,
  });
  background.start();
  return background;
}
