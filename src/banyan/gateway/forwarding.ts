// One request on its way to some process of its module. Guarantees: its body is complete before a process is chosen,
// so that it goes to another one whole when the first refused; when everybody refused, the placement is read again,
// and only then the client gets a 503 with Retry-After. Nothing falls back in silence.
import type { FastifyReplyFromHooks } from '@fastify/reply-from';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Share } from '../context/share.ts';
import { traceOf } from '../context/trace.ts';
import { ModuleUnavailable, Problem } from '../contract/problem.ts';
import { whenOver } from '../http/counted.ts';
import type { Headers } from '../http/hop-by-hop.ts';
import { sendProblem } from '../http/problems.ts';
import { SIDE_HEADER, shareOf } from '../http/request-share.ts';
import { audienceOf, type InternalTokens } from '../identity/internal-token.ts';
import { Attempts } from '../routing/failover.ts';
import { mayFallBack, sharesTraffic, sideOf } from '../routing/side.ts';
import type { Instance, Placements } from '../routing/snapshot.ts';
import { cleanAnswer } from './answer-headers.ts';
import { failureOf, problemOf } from './failure.ts';
import { passOn } from './request-headers.ts';
import { routeAgain } from './route-again.ts';
import { REFUSED } from './unexpected.ts';
import { addressed, type Destination, SILENT } from './upstream-connections.ts';
import type { Upstreams } from './upstreams.ts';

export interface ForwardingOptions {
  readonly module: string;
  readonly upstreams: Upstreams;
  readonly placements: Placements;
  /** This host runs the module too: it can answer when the module came back. */
  readonly local: boolean;
  readonly tokens: InternalTokens;
  readonly onReroute: () => void;
  /** Nobody was left on the far side for this request of a share. */
  readonly onFallBack: (request: FastifyRequest, ms: number) => void;
}

/** What reply-from is told of a request. */
export type FromOptions = FastifyReplyFromHooks & Record<string, unknown>;

/** Instances are told apart by host. */
export class Forwarding extends Attempts<string> implements Destination {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly from: FromOptions;
  readonly options: ForwardingOptions;
  readonly path: string;
  readonly repeatable: boolean;
  /** Where it is now; the last of those where it was. Chosen before anything is sent. */
  instance!: Instance;
  token = '';
  /** It went through the router once more, and is counted there. */
  again = false;
  #counted: (() => void) | undefined;
  #fellBack = false;

  constructor(request: FastifyRequest, reply: FastifyReply, from: FromOptions, options: ForwardingOptions) {
    super();
    this.path = request.raw.url!;
    this.repeatable = isRepeatable(request);
    this.request = request;
    this.reply = reply;
    this.from = from;
    this.options = options;
  }

  /** The answer, whatever it is, is sent later. */
  send(): void {
    const { request, options } = this;
    const instance = options.upstreams.pick(options.module, request.side, this.tried, this.#share());
    if (!instance) {
      this.nobody().catch((error) => this.reply.send(error));
      return;
    }
    this.instance = instance;
    this.#counted = options.upstreams.begin(instance);
    if (this.reply.raw.destroyed) this.over();
    const token = options.tokens.mint(audienceOf(instance.id), instance.legacy);
    if (typeof token === 'string') this.forward(token);
    else
      token.then(
        (made) => this.forward(made),
        (error) => this.reply.send(error),
      );
  }

  forward(token: string): void {
    const { request, from } = this;
    this.token = token;
    const body = request.body as Buffer | undefined;
    // Without a type, or without bytes, reply-from would send the buffer itself as JSON.
    const contentType = request.headers['content-type'] || 'application/octet-stream';
    this.reply.from('/', body ? ({ ...from, body, contentType } as FromOptions) : from);
  }

  /** What the process is told besides what the client said. */
  requestHeaders(headers: Headers): Headers {
    return addressed(passOn(headers, this.request, this.instance, this.token, this.#share()), this);
  }

  /** Said here and not there: a service in another language need not know what this gateway calls it. */
  answerHeaders(answered: Headers): Headers {
    const { request, reply } = this;
    request.endTurn?.();
    const headers = cleanAnswer(answered);
    // Of what is not under /api nobody says so, near or far.
    if (!reply.hasHeader('x-served-by')) delete headers['x-served-by'];
    else headers['x-served-by'] = request.side === 'service' ? this.instance.id : 'monolith';
    return headers;
  }

  /** The process does not let this host in. */
  onRefused(error: Error): void {
    this.failed(error);
  }

  /** It is no longer on its way there. */
  over(): void {
    this.#counted?.();
    this.#counted = undefined;
  }

  /** A connection that was refused, or lost under a request that may be repeated: on to the next process. */
  failed(error: Error): void {
    this.over();
    const { reply, options, instance } = this;
    const failure = failureOf(error);
    const { code, refused, lost } = failure;
    // One that refuses the token is told of once, and not by request.
    if (code !== REFUSED) this.warn(code);
    if (refused || code === SILENT) {
      const silent = `${instance.id} does not answer at ${instance.url} (${code})`;
      options.upstreams.refused(instance, code === REFUSED ? error.message : silent);
    }
    if ((refused || lost) && this.mayFollow(instance.host, lost, this.repeatable)) {
      options.onReroute();
      this.send();
      return;
    }
    sendProblem(reply, problemOf(failure, instance, options.module));
  }

  warn(code: string): void {
    const { request, options, instance } = this;
    if (!options.upstreams.isNews(`${instance.id} ${code}`)) return;
    const said = { module: options.module, instance: instance.id, code, ...traceOf(request.traceparent) };
    request.log.warn(said, 'an instance did not answer');
  }

  /** Undefined where no module has shares. */
  #share(): Share | undefined {
    return sharesTraffic(this.options.placements.current) ? shareOf(this.request.raw) : undefined;
  }

  /** In words, where an operator wants this side and no other. */
  #asked(): string {
    const side = this.#share()?.side;
    return side === undefined ? '' : ` The request asks for one by ${SIDE_HEADER}: ${side}.`;
  }

  /** In canary whoever is left unanswered on the far side is answered on the near one. */
  #fallsBack(): boolean {
    const { module, placements } = this.options;
    if (this.request.side !== 'service' || !mayFallBack(placements.current, module, this.#share()))
      return false;
    this.options.onFallBack(this.request, this.reply.elapsedTime);
    this.#fellBack = true;
    return true;
  }

  #again(): Promise<void> {
    this.again = true;
    return routeAgain(this.request, this.reply);
  }

  /** Cause and remedy are the operator's: in the log, and in the answer where an operator asked for a side. */
  #refuse(): void {
    const { module, upstreams } = this.options;
    const remedy = `\`banyan extract ${module}\` starts one, \`banyan restore ${module}\` brings it back.`;
    const why = `No instance of ${module} answers.${upstreams.why(module)}${this.#asked()} ${remedy}`;
    const problem = new ModuleUnavailable(module, why);
    // Why each of them does not is said of it where that was found out.
    if (upstreams.isNews(module))
      this.request.log.warn({ module, remedy }, 'no instance of a module answers');
    const { body, retryAfter } = problem;
    const toOperator = this.#share()?.side !== undefined;
    sendProblem(this.reply, toOperator ? new Problem({ ...body, detail: why }, { retryAfter }) : problem);
  }

  /** Everybody refused. Perhaps the placement moved and this host has not heard of it: look once more. */
  async nobody(): Promise<void> {
    const { module, placements, local, upstreams } = this.options;
    if (this.#fallsBack()) {
      this.request.side = 'in-process';
      if (local) return this.#again();
      this.send();
      return;
    }
    if (!this.mayLookAgain()) {
      this.#refuse();
      return;
    }
    const now = await placements.refresh();
    const side = this.#fellBack ? 'in-process' : sideOf(now, module, this.#share());
    if (local && side === 'in-process') return this.#again();
    if (side === 'service' && this.request.side !== side) whenOver(this.reply, upstreams.routed(module));
    this.request.side = side;
    this.send();
  }
}

/** Safe to send twice: its contract says so. What no operation is for is refused, by whoever is asked. */
function isRepeatable({ operation, method }: FastifyRequest): boolean {
  return operation?.idempotent ?? (method === 'GET' || method === 'HEAD');
}
