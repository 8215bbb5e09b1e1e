// A host from its settings: the monolith, a service, or the gateway alone are the same steps, some left out.
// Guarantees: it serves nothing before it is ready; it stops in the order in which nothing is lost (no new
// requests, then those in flight, then its services, then work without a request, the database last).
import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { Dispatcher } from '../kernel/calls/dispatcher.ts';
import { createDispatcher } from '../kernel/calls/dispatcher.ts';
import { createRemote } from '../kernel/calls/remote.ts';
import { attachWsDoor } from '../kernel/calls/ws-door.ts';
import { openapi } from '../kernel/contract/openapi.ts';
import { openLog } from '../kernel/events/log/open.ts';
import { type Background, createBackground } from '../kernel/host/background.ts';
import { bootModule, inOrderOfUse, type RunningModule } from '../kernel/host/boot-module.ts';
import { createInternalPort } from '../kernel/host/internal-port.ts';
import { audienceOf, createInternalTokens } from '../kernel/identity/internal-token.ts';
import { keySet } from '../kernel/identity/keys.ts';
import { adminHandlers } from '../kernel/placement/admin.ts';
import { admin } from '../kernel/placement/admin-contract.ts';
import { canonicalContract } from '../kernel/placement/canonical.ts';
import type { Follower } from '../kernel/placement/follower.ts';
import type { HostReport, Registration } from '../kernel/placement/host.ts';
import { identify } from '../kernel/placement/process.ts';
import { removeInstanceFile, writeInstanceFile } from '../kernel/supervisor/instance-file.ts';
import { createSupervisor, type Supervisor } from '../kernel/supervisor/supervisor.ts';
import { createMetrics } from '../kernel/telemetry/metrics.ts';
import { createTracing } from '../kernel/telemetry/tracing.ts';
import type { Settings } from '../settings.ts';
import { createBearerCheck } from './bearer.ts';
import { countBusy } from './busy.ts';
import { openControl } from './control.ts';
import { openDatabase } from './database.ts';
import { createHealth, type HealthState } from './health.ts';
import { loadContract, loadModule } from './load.ts';
import { closePort, DRAIN_MS, listen, portOf, within } from './ports.ts';
import { serviceCommand } from './service-command.ts';
import { version } from './version.ts';

export interface RunningHost {
  /** The public base URL; undefined on a service. */
  readonly url: string | undefined;
  readonly internalUrl: string;
  readonly placements: Follower;
  /** Ends everything that this host began. Safe to call twice. */
  close(): Promise<void>;
}

export interface StartOptions {
  readonly log: Logger;
  /** The host cannot go on (its registration was refused): end the process. */
  readonly onFatal: (error: Error) => void;
}

export async function startHost(settings: Settings, { log, onFatal }: StartOptions): Promise<RunningHost> {
  const { role, hostId } = settings;
  const undo: (() => Promise<unknown> | unknown)[] = [];
  const state: HealthState = { booted: false, draining: false };
  try {
    return await assemble();
  } catch (error) {
    await unwind();
    throw error;
  }

  /** Undoes the steps taken, the last one first; one that fails does not keep the others from ending. */
  async function unwind(): Promise<void> {
    for (let step = undo.pop(); step; step = undo.pop()) {
      try {
        await step();
      } catch (error) {
        log.warn({ err: error }, 'a part did not end cleanly');
      }
    }
  }

  async function assemble(): Promise<RunningHost> {
    const contracts = await Promise.all(settings.allModules.map(loadContract));
    const modules = inOrderOfUse(
      await Promise.all(settings.modules.map((name) => loadModule(name, settings))),
    );
    const metrics = createMetrics(hostId);
    const tracing = createTracing(settings.otlpEndpoint, hostId);
    undo.push(() => tracing.close());
    const tokens = createInternalTokens(settings.internalKey, audienceOf(hostId));
    const database = await openDatabase(settings, modules, log);
    undo.push(() => database.close());

    const jwks = settings.signingKey ? await keySet([settings.signingKey]) : { keys: [] };
    const control = openControl({
      settings,
      controlUrl: database.controlUrl,
      contracts,
      tokens,
      jwks,
      log,
      onRefused: onFatal,
    });
    undo.push(() => control.store?.close());
    await control.start();
    const placements = control.follower;
    const remote = createRemote({
      placements,
      tokens,
      log,
      observer: {
        onCall: (module, operation, ms, outcome, span) => {
          metrics.call.observe({ module, operation, outcome }, ms / 1000);
          if (!tracing.enabled) return;
          const endMs = Date.now();
          const parent = span.parent?.slice(36, 52);
          const attributes = { 'rpc.system': 'jsonrpc', 'rpc.service': module, 'rpc.method': operation };
          tracing.record({
            name: `${module}/${operation}`,
            kind: 'client',
            traceparent: span.traceparent,
            parent,
            startMs: endMs - ms,
            endMs,
            failed: outcome !== 'ok',
            attributes,
          });
        },
      },
    });
    undo.push(() => remote.close());

    const eventLog = openLog({ brokerUrl: kafkaOf(settings), logUrl: database.logUrl, hostId, log });
    undo.push(() => eventLog.close());
    const running = bootModules();
    const dispatchers = new Map(running.map((one) => [one.name, one.dispatcher]));
    const health = createHealth(hostId, state, placements, () => running);
    const bearer = createBearerCheck(
      settings.adminToken,
      () => (role === 'service' ? (placements.current.jwks?.keys ?? []) : jwks.keys),
      placements,
    );

    const busy = countBusy(dispatchers);
    const internal = await openInternalPort();
    const internalUrl = settings.advertiseUrl ?? `http://127.0.0.1:${portOf(internal)}`;
    if (role === 'monolith') await database.alone(() => seedAll(running));

    const host = randomUUID();
    let gateway: Gateway | undefined;
    const ready = { now: false };
    const report = (): HostReport => ({
      ready: ready.now,
      draining: state.draining,
      inflight: countsOf(
        settings.allModules,
        (module) => (gateway?.inflight(module) ?? 0) + remote.inflight(module),
      ),
      busy: busy.counts(),
    });

    if (role === 'service') state.booted = true;
    ready.now = role === 'service' ? await health.ready() : true;
    const publicUrl = role === 'service' ? undefined : await openPublicPort();
    await placements.register(registration(publicUrl), report);
    undo.push(() => placements.stop());
    const supervisor = role === 'monolith' ? await openSupervisor() : undefined;
    const background = openBackground();
    state.booted = true;
    watchHealth();
    if (publicUrl && role === 'monolith') {
      writeInstanceFile(settings.dataDir, publicUrl);
      undo.push(() => removeInstanceFile(settings.dataDir));
    }

    let closing: Promise<void> | undefined;
    return {
      url: publicUrl,
      internalUrl,
      placements,
      close: () => {
        closing ??= close(supervisor, background);
        return closing;
      },
    };

    function bootModules(): RunningModule[] {
      const booted: RunningModule[] = [];
      const local = new Map<string, Dispatcher>();
      for (const module of modules) {
        const name = module.contract.module;
        const one = bootModule(module, {
          hostId,
          log,
          databaseUrl: database.moduleUrl(name),
          schemaUrl: (schema) => database.schemaUrl(name, schema),
          placements,
          remote,
          local,
          codec: settings.codec,
          strict: settings.strict,
          eventLog,
          contracts,
          tracing,
        });
        undo.push(() => one.close());
        local.set(name, one.dispatcher);
        booted.push(one);
      }
      return booted;
    }

    async function openInternalPort(): Promise<FastifyInstance> {
      const app = await createInternalPort({
        hostId,
        log,
        metrics,
        tracing,
        dispatchers: busy.dispatchers,
        tokens,
        audience: audienceOf(hostId),
        verifyBearer: bearer,
        health: (one) => health.mount(one),
        sync: control.sync,
      });
      const door = attachWsDoor({
        server: app.server,
        verify: (token) => tokens.verify(token, audienceOf(hostId)),
        dispatchers: busy.dispatchers,
        log,
      });
      undo.push(() => closePort(app, door));
      // Only a host that says where others reach it listens beyond loopback.
      const address = settings.advertiseUrl ? settings.host : '127.0.0.1';
      await listen(app, settings.internalPort, address, 'INTERNAL_PORT');
      return app;
    }

    async function openPublicPort(): Promise<string> {
      const own: Dispatcher[] = [];
      const url = () =>
        `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${portOf(gateway!.app)}`;
      if (control.store) {
        const handlers = adminHandlers({
          store: control.store,
          follower: placements,
          host: role === 'monolith' ? host : null,
          monolith: () => ({ pid: process.pid, url: url() }),
        });
        own.push(
          createDispatcher(admin, handlers as unknown as Parameters<typeof createDispatcher>[1], {
            codec: settings.codec,
          }),
        );
      }
      const documented = [...contracts, ...own.map((dispatcher) => dispatcher.contract)];
      gateway = await createGateway({
        hostId: 'monolith',
        log,
        metrics,
        tracing,
        contracts,
        local: dispatchers,
        own,
        placements,
        verifyBearer: bearer,
        tokens,
        documents: {
          openapi: () => openapi(documented, version),
          jwks: () => jwks,
        },
        health: (app) => health.mount(app),
      });
      undo.push(() => gateway!.close());
      await listen(gateway.app, settings.port, settings.host, 'PORT');
      return url();
    }

    function registration(publicUrl: string | undefined): Registration {
      return {
        host,
        id: hostId,
        role,
        modules: settings.modules,
        url: internalUrl,
        ...(publicUrl ? { publicUrl } : {}),
        doors: ['ws', 'http'],
        process: identify(process.pid)!,
        contracts: Object.fromEntries(
          modules.map(({ contract }) => [contract.module, canonicalContract(contract)]),
        ),
      };
    }

    async function openSupervisor(): Promise<Supervisor> {
      const one = createSupervisor({
        host,
        store: control.store!,
        follower: placements,
        command: serviceCommand(settings, database, modules, () => internalUrl),
        dataDir: settings.dataDir,
        log,
        graceMs: DRAIN_MS + settings.drainDelayMs,
        // Where a service is run by somebody else it has the advertised address of its own.
        spawnsPlaced: settings.advertiseUrl === undefined,
      });
      await one.start();
      return one;
    }

    function openBackground(): Background {
      const tasks = new Map(running.map((one) => [one.name, one.tasks]));
      const background = createBackground({
        mine: role === 'service' ? 'service' : 'in-process',
        placements,
        tasks,
        log,
      });
      background.start();
      return background;
    }

    /** Heartbeats say what this finds: whether the modules here reach their stores. */
    function watchHealth(): void {
      const timer = setInterval(async () => {
        const before = ready.now;
        ready.now = await health.ready();
        if (ready.now !== before) await placements.beat();
      }, 1000).unref();
      undo.push(() => clearInterval(timer));
    }

    async function close(supervisor: Supervisor | undefined, background: Background): Promise<void> {
      state.draining = true;
      ready.now = false;
      await placements.beat();
      if (settings.drainDelayMs > 0)
        await new Promise((resolve) => setTimeout(resolve, settings.drainDelayMs));
      if (gateway) await within(DRAIN_MS, gateway.app.close());
      await supervisor?.stop();
      await background.stop();
      await unwind();
    }
  }
}

async function seedAll(modules: readonly RunningModule[]): Promise<void> {
  for (const module of modules) await module.seed();
}

/** BROKER_URL when it is Kafka's; a service's may be the URL of its monolith's Postgres log. */
function kafkaOf({ brokerUrl }: Settings): string | undefined {
  return brokerUrl?.startsWith('kafka') ? brokerUrl : undefined;
}

function countsOf(modules: readonly string[], count: (module: string) => number): Record<string, number> {
  return Object.fromEntries(
    modules.map((module) => [module, count(module)] as const).filter(([, one]) => one > 0),
  );
}
