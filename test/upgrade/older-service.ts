// A service of the version before, as far as others see it: what it says and takes by docs/protocol.md of then. Its tokens
// are made of INTERNAL_KEY, which all hosts shared. It lives in the test's own process, and answers every request of a
// client with an empty page.
import { hkdfSync, randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify, SignJWT } from 'jose';
import type { Contract } from '../../src/banyan/contract/contract.ts';
import { canonicalContract } from '../../src/banyan/placement/canonical.ts';

export class OlderService {
  readonly id: string;
  readonly #contract: Contract;
  readonly #control: string;
  readonly #key: Uint8Array;
  readonly #host = randomUUID();
  /** Who asked, by tokens that were good here; a request with a bad one gets 401. */
  readonly callers: string[] = [];
  #url = '';
  #version = 0;
  #beating: NodeJS.Timeout | undefined;
  readonly #server = createServer(async ({ headers, url }, response) => {
    const caller = url === '/health/ready' ? 'anybody' : await this.#callerOf(headers);
    response.writeHead(caller ? 200 : 401, { 'content-type': 'application/json' });
    response.end('{"items":[],"nextCursor":null}');
    if (caller) this.callers.push(caller);
  });

  /** @param control the internal port of a monolith */
  constructor(contract: Contract, control: string, internalKey: string, number = 7) {
    this.id = `${contract.module}-${number}`;
    this.#contract = contract;
    this.#control = control;
    this.#key = new Uint8Array(hkdfSync('sha256', internalKey, '', 'banyan internal token v1', 32));
  }

  /** Answers the status of its registration; beats from then on if it was let in. */
  async register(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.#url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const { module } = this.#contract;
    const status = await this.#sync({
      register: {
        ...{
          host: this.#host,
          id: this.id,
          role: 'service',
          modules: [module],
          url: this.#url,
          doors: ['http'],
        },
        process: { machine: 'older', pid: 1, started: '1' },
        contracts: { [module]: canonicalContract(this.#contract) },
      },
      beat: this.#beat(),
    });
    if (status === 200)
      this.#beating = setInterval(() => void this.#sync({ beat: this.#beat() }).catch(() => {}), 300);
    return status;
  }

  /** Asks an operation of another module; answers the status. */
  async call(audience: string, module: string, operation: string, input: object): Promise<number> {
    const response = await fetch(`${this.#control}/calls/${module}/${operation}`, {
      method: 'POST',
      headers: { ...(await this.#bearing(audience)), 'x-caller': this.#contract.module },
      body: JSON.stringify(input),
    });
    return response.status;
  }

  async close(): Promise<void> {
    clearInterval(this.#beating);
    await this.#sync({ leave: this.#host }).catch(() => {});
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #beat() {
    const load = { ready: true, draining: false, inflight: {}, busy: {} };
    return { ...load, host: this.#host, appliedVersion: this.#version };
  }

  async #sync(body: object): Promise<number> {
    const response = await fetch(`${this.#control}/control/sync`, {
      method: 'POST',
      headers: await this.#bearing('control'),
      body: JSON.stringify({ tag: '', waitMs: 0, ...body }),
    });
    const { snapshot } = (await response.json()) as { snapshot?: { version: number } };
    this.#version = snapshot?.version ?? this.#version;
    return response.status;
  }

  async #bearing(audience: string): Promise<Record<string, string>> {
    const token = await new SignJWT({ caller: this.#contract.module })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer('banyan:internal')
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(this.#key);
    return { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  }

  async #callerOf(headers: IncomingHttpHeaders): Promise<string | undefined> {
    const token = headers['x-internal-token'] ?? headers.authorization?.slice('Bearer '.length) ?? '';
    const options = { issuer: 'banyan:internal', audience: this.#contract.module, algorithms: ['HS256'] };
    const verified = await jwtVerify(String(token), this.#key, options).catch(() => undefined);
    return verified?.payload.caller as string | undefined;
  }
}
