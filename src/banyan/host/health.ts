// Liveness and readiness of a host. Ready: booted, placements loaded, and every module served here reaches its
// store. A module that is remote is reported and never makes this host unready.
import type { FastifyInstance } from 'fastify';
import type { Settings } from '../config/settings.ts';
import type { Follower } from '../placement/follower.ts';
import { isExtracted } from '../routing/side.ts';
import type { RunningModule } from './boot-module.ts';

export interface HealthState {
  /** Everything is up. */
  booted: boolean;
  /** The host was told to stop. */
  draining: boolean;
}

export interface Health {
  mount(app: FastifyInstance): void;
  /** The last look at the stores said yes, and the host is up and not on its way out. */
  ready(): Promise<boolean>;
  /** `ok`, or what came of the look, by module that runs here; at most half a second old. */
  stores(): Promise<Readonly<Record<string, string>>>;
}

/** Asked by every probe, heartbeat and balancer: one look at the stores serves all that ask within this time. */
const FRESH_MS = 500;
/** A store that has not answered by then is taken for one that does not. */
export const TIMEOUT_MS = 2_000;

export function createHealth(
  { hostId, role }: Pick<Settings, 'hostId' | 'role'>,
  state: HealthState,
  follower: Follower,
  modules: () => readonly RunningModule[],
  held: () => Readonly<Record<string, unknown>> = () => ({}),
): Health {
  let looked = 0;
  let look: Promise<Record<string, string>> = Promise.resolve({});
  const stores = () => {
    if (Date.now() - looked > FRESH_MS) {
      looked = Date.now();
      look = lookAt(modules());
    }
    return look;
  };
  const isServedHere = (module: string) => role === 'service' || !isExtracted(follower.current, module);
  const report = async () => {
    const found = await stores();
    const reached = Object.entries(found).every(([module, one]) => one === 'ok' || !isServedHere(module));
    const ready = state.booted && !state.draining && follower.loaded && reached;
    const out = held();
    const refused = modules().flatMap(({ name, events }) =>
      events.refused().map((part) => `${part} of ${name}`),
    );
    const places = Object.values(follower.current.modules).map(({ module, placement, instances }) => [
      module,
      {
        placement,
        instances: instances.length,
        healthy: instances.filter((one) => one.healthy && !(one.host in out)).length,
      },
    ]);
    return {
      status: ready ? 'ready' : state.draining ? 'draining' : state.booted ? 'unavailable' : 'starting',
      host: hostId,
      // Requests are served all the same: events wait, and /admin/events says why.
      checks: {
        booted: state.booted,
        placements: follower.loaded,
        stores: found,
        ...(refused.length > 0 && { refusedByLog: refused }),
      },
      modules: Object.fromEntries(places),
    };
  };
  return {
    mount(app) {
      app.get('/health/live', async (_request, reply) => reply.send({ status: 'live', host: hostId }));
      app.get('/health/ready', async (_request, reply) => {
        const body = await report();
        return reply.code(body.status === 'ready' ? 200 : 503).send(body);
      });
    },
    ready: async () => (await report()).status === 'ready',
    stores,
  };
}

async function lookAt(modules: readonly RunningModule[]): Promise<Record<string, string>> {
  const answers = modules.map(async (module) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, TIMEOUT_MS, 'no answer');
    });
    const asked = module.ping().then(
      () => 'ok',
      () => 'unreachable',
    );
    const answer = await Promise.race([asked, late]);
    clearTimeout(timer);
    return [module.name, answer] as const;
  });
  return Object.fromEntries(await Promise.all(answers));
}
