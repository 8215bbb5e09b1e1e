// The internal side of a host: the port where other hosts come in, by HTTP and by WebSocket, and the count of
// what they keep running here.

import { callSpans } from '../calls/call-span.ts';
import { shadowAnswer } from '../calls/shadow.ts';
import type { About } from '../doctor/about.ts';
import { TRIAL_BUDGET_MS } from '../store/rolled-back.ts';
import { attachWsDoor } from '../websocket/ws-door.ts';
import type { TryHere } from '../websocket/ws-targets.ts';
import { type Busy, countBusy } from './busy.ts';
import { mountFaults } from './faults.ts';
import type { Health } from './health.ts';
import { createInternalPort } from './internal-port.ts';
import type { Parts } from './parts.ts';
import { closePort, listen, portOf } from './ports.ts';
import { noteRegistrations } from './registrations.ts';
import { CLIENTS_MS } from './stopping.ts';
import { measureTraffic } from './traffic.ts';
import type { Undo } from './undo.ts';

export interface Internal {
  /** How other hosts reach this one. */
  readonly url: string;
  readonly busy: Busy;
  /** Answers end their connections from now on. */
  leave(): void;
}

/** To end what was cut off. */
const CUT_MS = 50;

export async function openInternal(
  parts: Parts,
  health: Health,
  about: () => Promise<About>,
  undo: Undo,
): Promise<Internal> {
  const { settings, log, security, metrics, tracing, tokens, rights, audience, bearer, control } = parts;
  const { mirrors, running } = parts;
  const busy = countBusy(parts.dispatchers);
  const app = await createInternalPort({
    hostId: settings.hostId,
    log,
    security,
    metrics,
    tracing,
    dispatchers: busy.dispatchers,
    tokens,
    rights,
    audience,
    verifyBearer: bearer,
    shadows: () => mirrors?.read() ?? {},
    recorder: parts.recorder,
    about,
    health: (one) => health.mount(one),
    sync: control.sync && noteRegistrations(control.sync, security),
    handOut: control.handOut,
  });
  if (settings.faults) mountFaults(app);
  measureTraffic(metrics, app.server);
  metrics.gauge(
    'banyan_requests_in_progress',
    'Requests that other hosts have under way here',
    ['module'],
    () => {
      const counts = busy.counts();
      return [...busy.dispatchers.keys()].map((module) => ({
        labels: { module },
        value: counts[module] ?? 0,
      }));
    },
  );
  const door = attachWsDoor({
    server: app.server,
    verify: (token) => tokens.verify(token, audience),
    rights,
    verifyBearer: bearer,
    dispatchers: busy.dispatchers,
    tryHere: tryIn(running),
    log,
    security,
    observe: callSpans(tracing, 'server'),
  });
  undo.push(
    'review of connections',
    control.follower.subscribe(() => door.review((caller) => tokens.isKnown(caller))),
  );
  app.server.on('upgrade', (_request, socket) => app.closing.forget(socket));
  undo.push('internal port', (ms) => closePort(app, ms - CUT_MS, door), CLIENTS_MS);
  // Only a host that says where others reach it listens beyond loopback.
  const address = settings.advertiseUrl ? settings.host : '127.0.0.1';
  await listen(app, settings.internalPort, address, 'INTERNAL_PORT');
  return {
    url: settings.advertiseUrl ?? `http://127.0.0.1:${portOf(app)}`,
    busy,
    leave: () => app.closing.leave(),
  };
}

/** What is only to be tried here. */
function tryIn(running: Parts['running']): TryHere {
  const byName = new Map(running.map((one) => [one.name, one]));
  return async (module, operation, input, call) => {
    const one = byName.get(module)!;
    const left = Math.max(1, Math.min(TRIAL_BUDGET_MS, call.deadline - Date.now()));
    const tried = await one.dispatchRolledBack(operation, input, call, left);
    return shadowAnswer(module, one.dispatcher.contract.operations[operation]!, tried);
  };
}
