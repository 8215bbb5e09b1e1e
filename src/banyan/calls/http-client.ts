// Calls to a process that offers HTTP alone (a service in another language): POST {url}/calls/<module>/<operation>
// with the input as JSON, the internal token as bearer, `traceparent` and `x-deadline-ms`. 2xx is the output,
// anything else a problem. The same promises as the WebSocket link.
import type { IncomingHttpHeaders } from 'node:http';
import { Pool } from 'undici';
import { isKey, type Share } from '../context/share.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { wasNothingSent } from '../routing/failover.ts';
import { Backoff } from './backoff.ts';
import { HOP_MARGIN_MS } from './deadlines.ts';
import type { FarCall, Link } from './far-call.ts';
import { CALLS_PATH, problemOf } from './frames.ts';

const CONNECT_MS = 2000;
const CONNECTIONS = 64;

export interface HttpLinkOptions {
  readonly url: string;
  readonly token: () => string | Promise<string>;
  readonly maxPayload: number;
  /** It answered 401 to the internal token: why, in words. */
  readonly refused: (headers: IncomingHttpHeaders) => string;
  readonly accepted: () => void;
}

export class HttpLink implements Link {
  readonly #options: HttpLinkOptions;
  readonly #base: string;
  readonly #pool: Pool;
  readonly #backoff = new Backoff();
  readonly #controllers = new Map<FarCall, AbortController>();

  constructor(options: HttpLinkOptions) {
    const { url, maxPayload } = options;
    const { origin, pathname } = new URL(url);
    this.#options = options;
    this.#base = `${pathname.replace(/\/$/, '')}${CALLS_PATH}/`;
    this.#pool = new Pool(origin, {
      connections: CONNECTIONS,
      connect: { timeout: CONNECT_MS },
      // The call's own deadline ends it, whatever part is missing.
      headersTimeout: 0,
      bodyTimeout: 0,
      maxResponseSize: maxPayload,
    });
  }

  /** Clients' requests to such a process go through the gateway's proxy. */
  get carriesClients(): boolean {
    return false;
  }

  get suspect(): boolean {
    return this.#backoff.failing;
  }

  usableAt(now: number): boolean {
    return this.#backoff.overAt(now);
  }

  send(call: FarCall): void {
    call.link = this;
    call.sent = false;
    void this.#post(call);
  }

  drop(call: FarCall): void {
    this.#controllers.get(call)?.abort();
    this.#controllers.delete(call);
  }

  close(): void {
    void this.#pool.destroy().catch(() => undefined);
  }

  async #post(call: FarCall): Promise<void> {
    const controller = new AbortController();
    this.#controllers.set(call, controller);
    let settle: () => void;
    try {
      settle = await this.#exchange(call, controller.signal);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const begun = call.sent && !wasNothingSent(code);
      if (!begun) this.#backoff.refused();
      settle =
        code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE'
          ? () => call.failed(badAnswer(call))
          : () => call.lost(begun, message || code || 'the connection broke');
    }
    // Absent: the call was dropped meanwhile.
    if (this.#controllers.delete(call)) settle();
  }

  async #exchange(call: FarCall, signal: AbortSignal): Promise<() => void> {
    const { module, operation } = call.target;
    const authorization = `Bearer ${await this.#options.token()}`;
    signal.throwIfAborted();
    call.sent = true;
    const { statusCode, headers, body } = await this.#pool.request({
      method: 'POST',
      path: `${this.#base}${encodeURIComponent(module)}/${encodeURIComponent(operation)}`,
      signal,
      headers: {
        authorization,
        'content-type': 'application/json',
        accept: 'application/json, application/problem+json',
        traceparent: call.traceparent,
        'x-deadline-ms': String(Math.max(1, call.deadline - Date.now() - HOP_MARGIN_MS)),
        'x-caller': call.target.caller,
        ...sharing(call.share),
      },
      body: call.input,
    });
    const text = await body.text();
    if (statusCode === 204) return () => call.answered(null);
    const json = parse(text);
    if (statusCode === 401 && !isOwnProblem(json, module)) {
      // A call has no credentials but this host's: nothing was begun, and another process may take it.
      this.#backoff.refused();
      return () => call.lost(false, this.#options.refused(headers));
    }
    this.#backoff.succeeded();
    this.#options.accepted();
    if (json === undefined) return () => call.failed(badAnswer(call));
    if (statusCode >= 200 && statusCode < 300) return () => call.answered(json);
    return () => call.failed(problemOf(json, retryAfter(headers)) ?? badAnswer(call));
  }
}

/** Whose share a call is in, as headers have it. The key of an event may be what no header can say. */
function sharing(share: Share | undefined): Record<string, string> {
  if (share === undefined || !isKey(share.key)) return {};
  return { 'x-banyan-bucket': share.key, ...(share.side ? { 'x-banyan-side': share.side } : {}) };
}

/** Undefined when it is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A problem that the module's contract defines: what was asked for was refused, and not who asked. */
function isOwnProblem(json: unknown, module: string): boolean {
  const type = (json as { type?: unknown } | null | undefined)?.type;
  return typeof type === 'string' && type.startsWith(`urn:banyan:problem:${module}:`);
}

function retryAfter(headers: IncomingHttpHeaders): number | undefined {
  const seconds = Number(headers['retry-after']);
  return Number.isFinite(seconds) ? seconds : undefined;
}

function badAnswer({ target }: FarCall): Problem {
  return libraryProblem('bad-gateway', {
    detail: `${target.module}.${target.operation} was answered with something that is no answer.`,
    extra: { module: target.module },
  });
}
