// The shop on a server of ours: one monolith that runs everything, customers, and a product of which there is plenty. It is
// killed with its server, and started again on another one, with the same secrets and, where it has one, the same broker.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { Agent } from 'undici';
import { createSessionSigner } from '../../../src/banyan/identity/session-token.ts';
import { type Env, type Launched, launch } from '../../../stage/launch.ts';
import { type Ask, asked, type Reply } from '../../asked.ts';
import { folder, type Server } from '../store/servers.ts';
import { type Customer, customersIn } from '../store/stage.ts';
import type { Counter } from '../store/writers.ts';

/** Of the product of which there is plenty. */
export const STOCK = 1_000_000;

export class RestoreShop implements Counter {
  readonly monoliths = [{}];
  readonly adminToken = randomBytes(24).toString('base64url');
  customers: readonly Customer[] = [];
  products = { plenty: '', none: '' };
  readonly #key = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  readonly #rootKey = randomBytes(24).toString('base64url');
  readonly #agent = new Agent({ connections: 32 });
  readonly #folders: string[] = [];
  readonly #more: Env;
  #host: Launched | undefined;

  /** @param more of its environment: a broker. */
  constructor(more: Env = {}) {
    this.#more = more;
  }

  /**
   * A new process in a new folder: all that it needs is in the databases and in its environment.
   * @param databases where they are now, by variable.
   */
  async startOn(databases: Env): Promise<void> {
    const dataDir = folder();
    this.#folders.push(dataDir);
    const env = {
      ...{ NODE_ENV: 'production', PORT: '0', DATA_DIR: dataDir, ...databases },
      ...{ ADMIN_TOKEN: this.adminToken, ROOT_KEY: this.#rootKey, SIGNING_KEY: JSON.stringify(this.#key) },
      ...this.#more,
    };
    this.#host = await launch({ env }).up();
  }

  /** Customers and products, once. */
  async fill(shared: Pick<Server, 'query'>): Promise<void> {
    const about = { name: 'A thing', description: 'For a rehearsal', priceCents: 700, currency: 'EUR' };
    const product = async (sku: string, stock: number): Promise<string> =>
      (await this.admin('POST', '/api/catalog/products', { ...about, sku, stock })).id;
    this.products = { plenty: await product('plenty', STOCK), none: await product('none', 0) };
    this.customers = await customersIn(shared, 10, createSessionSigner(this.#key));
  }

  ask(_at: number, one: Ask): Promise<Reply> {
    return asked(this.#agent, this.#host!.url, one);
  }

  /** Throws what is not 2xx. */
  async admin(method: Ask['method'], path: string, body?: object): Promise<Reply['body']> {
    const token = this.adminToken;
    const answer = await this.ask(0, { method, path, token, ...(body ? { body } : {}), timeoutMs: 60_000 });
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** What the monolith that runs now has said. */
  get output(): string {
    return this.#host?.output() ?? '';
  }

  async kill(): Promise<void> {
    await this.#host?.kill();
  }

  async stop(): Promise<void> {
    await this.#host?.end();
    await this.#agent.destroy();
    for (const one of this.#folders)
      rmSync(one, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }
}
