// The far side of the switch: a module's prefix behind @fastify/http-proxy, to whichever of its processes is
// chosen at that moment. Guarantees: a request ends on the side that it was routed to, and is counted there
// from that very turn; its body is complete before a process is chosen, so that it goes to another one whole
// when the first refused; when everybody refused, the placement is read again, and only then the client gets
// a 503 with Retry-After. Nothing falls back in silence.
import httpProxy from '@fastify/http-proxy';
import type { FastifyReplyFromHooks } from '@fastify/reply-from';
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { traceOf } from '../kernel/calls/trace.ts';
import { kernelProblem, ModuleUnavailable } from '../kernel/contract/problem.ts';
import { passedBodies } from '../kernel/http/body.ts';
import type { Headers } from '../kernel/http/hop-by-hop.ts';
import { keepConnection } from '../kernel/http/leftover.ts';
import { sendProblem } from '../kernel/http/problems.ts';
import { audienceOf, type InternalTokens } from '../kernel/identity/internal-token.ts';
import type { Endpoint, Placement, Placements } from '../kernel/placement/snapshot.ts';
import { Attempts, wasNothingSent } from '../kernel/routing/failover.ts';
import { sideOf } from '../kernel/routing/side.ts';
import { cleanAnswer } from './answer-headers.ts';
import { addressed, type Destination, type Lines, SILENT, STRANGER } from './lines.ts';
import type { Shedding } from './load/shedding.ts';
import type { Reads } from './reads.ts';
import { switchOf } from './switch.ts';
import { REFUSED } from './unexpected.ts';
import type { Upstreams } from './upstreams.ts';

export interface ProxyOptions {
  readonly module: string;
  /** The beginning of its paths: `/api/<module>`, or one under /admin. */
  readonly prefix: string;
  readonly upstreams: Upstreams;
  readonly lines: Lines;
  readonly reads: Reads;
  readonly placements: Placements;
  /** Refuses who may not call what they ask for. */
  readonly guard: onRequestHookHandler;
  /** Throws where too much is under way; answers what ends the turn of this request. */
  readonly begins: Shedding['begins'];
  /** This host runs the module too: it can answer when the module came back. */
  readonly local: boolean;
  readonly tokens: InternalTokens;
  readonly onReroute: () => void;
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** What this gateway is called in Via. */
const PSEUDONYM = 'banyan';

type FromOptions = FastifyReplyFromHooks & Record<string, unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The module whose proxy this route is. */
    proxied?: string;
  }
  interface FastifyRequest {
    /** Where a proxied request was routed to: there it ends. */
    side: Placement;
    /** On its way to a process, once one is chosen. */
    forwarding: Forwarding | undefined;
    /** Ends its turn among those under way: when its answer begins, not when a slow reader has it. */
    endTurn: (() => void) | undefined;
  }
}

/**
 * Notes the side of every proxied request, and counts those to a service, in the turn in which it was routed: before
 * any hook that may wait, and long before its body is there. Where this host runs the module, the router has decided.
 */
export function noteSides(
  app: FastifyInstance,
  placements: Placements,
  upstreams: Upstreams,
  local: { has(module: string): boolean },
): void {
  app.decorateRequest('side', 'service');
  app.decorateRequest('forwarding', undefined);
  app.decorateRequest('endTurn', undefined);
  app.addHook('onRequest', (request, reply, done) => {
    const module = request.routeOptions.config.proxied;
    if (module !== undefined) {
      request.side = local.has(module) ? 'service' : sideOf(placements.current, module);
      const over = request.side === 'service' ? upstreams.routed(module) : undefined;
      whenOver(reply, () => {
        over?.();
        request.forwarding?.over();
        request.endTurn?.();
      });
    }
    done();
  });
}

/** When the answer has gone out or the client went away, which may have been before a hook that waited was done. */
function whenOver({ raw }: FastifyReply, then: () => void): void {
  if (raw.destroyed) then();
  else raw.once('close', then);
}

export async function mountProxy(app: FastifyInstance, options: ProxyOptions): Promise<void> {
  const { module, prefix, lines, reads, guard, begins } = options;
  await app.register(async (scope) => {
    scope.addHook('onRequest', guard);
    passedBodies(scope);
    await scope.register(httpProxy, {
      prefix,
      rewritePrefix: prefix,
      // Neither is asked: the lines know whom, and the target goes out as it came.
      upstream: 'http://chosen.invalid',
      preRewrite: () => prefix,
      undici: lines,
      config: { proxied: module },
      disableRequestLogging: true,
      httpMethods: methods,
      constraints: { [switchOf(module)]: 'service' },
      // reply-from would repeat a GET that got 503 up to ten times; 0 reads as unset, an empty list does not.
      retryMethods: [],
      proxyPayloads: false,
      replyOptions: hooks,
      // Answers nothing: a reply that is returned is waited for, which costs some 40 us.
      handler: (request: FastifyRequest, reply: FastifyReply, _dest: string, from: FromOptions): void => {
        request.endTurn = begins(request, reply);
        if (reply.raw.destroyed) request.endTurn?.();
        const forward = () => {
          request.forwarding = new Forwarding(request, reply, from, options);
          request.forwarding.send();
        };
        if (!reads(request, reply, forward)) forward();
      },
    } as unknown as Parameters<typeof httpProxy>[1]);
  });
}

/** What reply-from asks of the request at hand. */
const hooks = {
  rewriteRequestHeaders: (request: FastifyRequest, headers: Headers) =>
    request.forwarding!.requestHeaders(headers),
  rewriteHeaders: (headers: Headers, request: FastifyRequest) => request.forwarding!.answerHeaders(headers),
  onResponse: (_request: FastifyRequest, reply: FastifyReply, { stream }: { stream: unknown }) => {
    keepConnection(reply);
    reply.send(stream);
  },
  onError: ({ request }: FastifyReply, { error }: { error: Error }) => request.forwarding!.failed(error),
} as unknown as FromOptions;

/** Fields that are no business of the process; Connection and its like are gone since the request came in. */
const endsHere = ['transfer-encoding', 'expect', 'forwarded', 'x-forwarded-host', 'x-forwarded-proto'];

/** One request on its way to some process of the module; instances are told apart by host. */
class Forwarding extends Attempts<string> implements Destination {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly from: FromOptions;
  readonly options: ProxyOptions;
  readonly path: string;
  readonly repeatable: boolean;
  /** Where it is now; the last of those where it was. Chosen before anything is sent. */
  endpoint!: Endpoint;
  token = '';
  #counted: (() => void) | undefined;

  constructor(request: FastifyRequest, reply: FastifyReply, from: FromOptions, options: ProxyOptions) {
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
    const endpoint = options.upstreams.pick(options.module, request.side, this.tried);
    if (!endpoint) {
      this.nobody().catch((error) => this.reply.send(error));
      return;
    }
    this.endpoint = endpoint;
    this.#counted = options.upstreams.begin(endpoint);
    if (this.reply.raw.destroyed) this.over();
    const token = options.tokens.mint(audienceOf(endpoint.id));
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

  /** What goes to the process besides what the client said, and without what was said to this gateway alone. */
  requestHeaders(headers: Headers): Headers {
    const { request } = this;
    headers.host = hostOf(this.endpoint);
    headers['x-internal-token'] = this.token;
    headers.traceparent = request.traceparent;
    headers['x-forwarded-for'] = request.ip;
    const via = `${request.raw.httpVersion} ${PSEUDONYM}`;
    headers.via = headers.via === undefined ? via : `${headers.via}, ${via}`;
    for (const name of endsHere) if (headers[name] !== undefined) delete headers[name];
    // What a request has that is read without its body.
    if (!request.body && headers['content-length'] !== undefined) delete headers['content-length'];
    return addressed(headers, this);
  }

  /** Said here and not there: a service in another language need not know what this gateway calls it. */
  answerHeaders(answered: Headers): Headers {
    const { request, reply } = this;
    request.endTurn?.();
    const headers = cleanAnswer(answered);
    // Of what is not under /api nobody says so, near or far.
    if (!reply.hasHeader('x-served-by')) delete headers['x-served-by'];
    else headers['x-served-by'] = request.side === 'service' ? this.endpoint.id : 'monolith';
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
    const { request, reply, options } = this;
    const { endpoint } = this;
    const code = codeOf(error);
    const refused = wasNothingSent(code) || code === STRANGER || code === REFUSED;
    const lost = code === 'ECONNRESET' || code === 'UND_ERR_SOCKET' || code === 'EPIPE' || code === SILENT;
    const { traceparent, log } = request;
    const words =
      code === REFUSED ? error.message : `${endpoint.id} does not answer at ${endpoint.url} (${code})`;
    // One that refuses the token is told of once, and not by request.
    if (code !== REFUSED)
      log.warn(
        { module: options.module, instance: endpoint.id, code, ...traceOf(traceparent) },
        'an instance did not answer',
      );
    if (refused || code === SILENT) options.upstreams.refused(endpoint, words);
    if ((refused || lost) && this.mayFollow(endpoint.host, lost, this.repeatable)) {
      options.onReroute();
      this.send();
      return;
    }
    if (isBadAnswer(code)) {
      const detail = `What ${endpoint.id} answered is not valid HTTP/1.1, or has more than 32 kB of headers.`;
      sendProblem(reply, kernelProblem('bad-gateway', { detail }));
      return;
    }
    if (code.endsWith('TIMEOUT')) {
      sendProblem(
        reply,
        kernelProblem('deadline-exceeded', { detail: `${endpoint.id} did not answer in time.` }),
      );
      return;
    }
    sendProblem(
      reply,
      new ModuleUnavailable(
        options.module,
        `${endpoint.id} lost the connection while it worked on the request.`,
      ),
    );
  }

  /** Everybody refused. Perhaps the placement moved and this host has not heard of it: look once more. */
  async nobody(): Promise<void> {
    const { module, placements, local, upstreams } = this.options;
    if (!this.mayLookAgain()) {
      const detail = `No instance of ${module} answers.${upstreams.why(module)} \`banyan extract ${module}\` starts one, \`banyan restore ${module}\` brings it back.`;
      sendProblem(this.reply, new ModuleUnavailable(module, detail));
      return;
    }
    const side = sideOf(await placements.refresh(), module);
    if (local && side === 'in-process') return routeAgain(this.request, this.reply);
    if (side === 'service' && this.request.side !== side) whenOver(this.reply, upstreams.routed(module));
    this.request.side = side;
    this.send();
  }
}

/** The module is near again: the same request once more through the router, whole. */
async function routeAgain(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const body = request.body as Buffer | undefined;
  const asked = { ...request.headers } as Record<string, string>;
  delete asked['transfer-encoding'];
  const answer = await request.server.inject({
    method: request.method as 'GET',
    url: request.raw.url!,
    headers: asked,
    remoteAddress: request.ip,
    ...(body && body.length > 0 ? { payload: body } : {}),
  });
  const headers = cleanAnswer(answer.headers as Headers);
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) reply.header(name, value);
  reply.code(answer.statusCode).send(answer.rawPayload);
}

/** The Host header for a process: what stands between `//` and the next slash. */
function hostOf({ url }: Endpoint): string {
  return url.split('/', 3)[2]!;
}

const BAD_ANSWER = 'HPE_UNKNOWN';

/** What came back is no answer, though it came: whoever else is asked would say the same. */
function isBadAnswer(code: string): boolean {
  return (
    code.startsWith('HPE_') ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  );
}

/** Safe to send twice: its contract says so. What no operation is for is refused, by whoever is asked. */
function isRepeatable({ operation, method }: FastifyRequest): boolean {
  return operation?.idempotent ?? (method === 'GET' || method === 'HEAD');
}

function codeOf(error: unknown): string {
  for (
    let at = error as { name?: string; code?: string; cause?: unknown; errors?: unknown[] } | undefined;
    at;
    at = at.cause as typeof at
  ) {
    if (at.code && !at.code.startsWith('FST_')) return at.code;
    // Of some breaches undici's parser knows no code.
    if (at.name === 'HTTPParserError') return BAD_ANSWER;
    const first = at.errors?.[0] as { code?: string } | undefined;
    if (first?.code) return first.code;
  }
  return 'unknown';
}
