// Load shedding on the public port: what cannot be done in time is refused at once, before its body is read, so that
// what is begun is done in time. Three gates per module, near or far alike: requests in flight, the event loop's lag, and
// each request's own deadline. Health, /admin, documents and the internal port have no gate.
// It must not know what a module does, nor where.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { libraryProblem, type Problem } from '../../contract/problem.ts';
import { type Admission, Shed } from '../../http/admission.ts';
import { REQUEST_DEADLINE_MS } from '../../http/http-call.ts';
import { dropRest } from '../../http/leftover.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { type Lag, watchLag } from './lag.ts';

const reasons = ['limit', 'lag', 'deadline'] as const;
type Reason = (typeof reasons)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The gate that requests of this route pass. */
    gate?: Gate;
  }
}

export interface Shedding {
  /** For the module's own routes. */
  admission(module: string): Admission;
  /** For a request to another process, when all of it is there: throws Shed, or answers what ends its turn, once. */
  begins(request: FastifyRequest, reply: FastifyReply): (() => void) | undefined;
  /** True: it has answered. For the first hook of the port. */
  refuses(request: FastifyRequest, reply: FastifyReply, gate: Gate): boolean;
}

export function shedLoad(app: FastifyInstance, modules: readonly string[], metrics: Metrics): Shedding {
  const lag = watchLag();
  app.addHook('onClose', async () => lag.stop());
  const gates = new Map(modules.map((module) => [module, new Gate(module, lag)]));
  app.addHook('onRoute', (route) => {
    const { module, proxied } = route.config ?? {};
    const gate = gates.get(module ?? proxied ?? '');
    if (gate && !route.url.startsWith('/admin')) route.config!.gate = gate;
  });
  measure(metrics, [...gates.values()]);
  return {
    admission: (module) => gates.get(module)!.run,
    // An upload's time begins when it is there: slow lines have a minute for it.
    begins: ({ routeOptions, operation }, reply) =>
      routeOptions.config.gate?.begin(!operation?.upload && reply.elapsedTime > REQUEST_DEADLINE_MS),
    refuses(request, reply, gate) {
      const reason = gate.looks();
      if (!reason) return false;
      refuse(request, reply, gate.refusals[reason]);
      return true;
    },
  };
}

/** One module's gates, and what they refused. */
export class Gate {
  readonly module: string;
  readonly limit = new ConcurrencyLimit(performance.now());
  readonly shed: Record<Reason, number> = { limit: 0, lag: 0, deadline: 0 };
  readonly refusals: Readonly<Record<Reason, Refusal>>;
  readonly #lag: Lag;

  constructor(module: string, lag: Lag) {
    this.module = module;
    this.#lag = lag;
    const busy = unavailable(module, `There is more to do for ${module} than can be done in time.`);
    this.refusals = { limit: busy, lag: busy, deadline: late(module) };
  }

  /** At the first sight of a request: why it is refused, if it is. */
  looks(): Reason | undefined {
    const reason = this.limit.full
      ? 'limit'
      : this.#lag.stoodFor(performance.now()) > REQUEST_DEADLINE_MS
        ? 'deadline'
        : this.#lag.share.passes()
          ? undefined
          : 'lag';
    if (reason) this.shed[reason] += 1;
    return reason;
  }

  /**
   * When all of it is there: begins, or throws. What was read in the same turn was looked at before any of it began.
   * Answers what ends it; a second time that does nothing.
   */
  begin(isLate: boolean): () => void {
    const reason = isLate ? 'deadline' : this.limit.full ? 'limit' : undefined;
    if (reason) {
      this.shed[reason] += 1;
      throw this.refusals[reason].problem;
    }
    this.limit.begin();
    const since = performance.now();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      const now = performance.now();
      this.limit.end(now - since, now);
    };
  }

  readonly run: Admission = (deadline, work) => {
    let end: () => void;
    try {
      end = this.begin(deadline < Date.now());
    } catch (error) {
      return Promise.reject(error);
    }
    const working = work();
    working.then(end, end);
    return working;
  };
}

/** A refusal is made once: in a flood it is sent as it is, without an error's stack and without JSON. */
interface Refusal {
  readonly problem: Problem;
  readonly text: string;
}

function refusal(problem: Problem): Refusal {
  const shed = new Shed(
    problem.body,
    problem.retryAfter === undefined ? {} : { retryAfter: problem.retryAfter },
  );
  return { problem: shed, text: JSON.stringify(problem.body) };
}

const unavailable = (module: string, detail: string) =>
  refusal(libraryProblem('unavailable', { detail, retryAfter: 1, extra: { module } }));

const late = (module: string) =>
  unavailable(module, `The request was not there within ${REQUEST_DEADLINE_MS / 1000} s, and was not begun.`);

function refuse(request: FastifyRequest, reply: FastifyReply, { problem, text }: Refusal): void {
  const send = () =>
    reply
      .code(problem.status)
      .header('retry-after', '1')
      .header('content-type', 'application/problem+json')
      .send(text);
  if (reply.raw.shouldKeepAlive) send();
  else dropRest(request, reply, send);
}

function measure(metrics: Metrics, gates: readonly Gate[]): void {
  metrics.total(
    'banyan_shed_total',
    'Requests refused because there was too much to do, or their time was over before they began',
    ['module', 'reason'],
    () =>
      gates.flatMap(({ module, shed }) =>
        reasons.map((reason) => ({ labels: { module, reason }, value: shed[reason] })),
      ),
  );
  metrics.gauge(
    'banyan_inflight_limit',
    'Requests of a module that may be worked on at once',
    ['module'],
    () => gates.map(({ module, limit }) => ({ labels: { module }, value: limit.limit })),
  );
}
