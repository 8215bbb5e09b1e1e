// One Banyan of its own that somebody holds on to: sockets and silent servers that never come to an end, processes that
// stand still. Guarantees: when it is left, nothing of it runs. It knows no test: several of them are under way at once.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';
import { type Own, ownBanyan } from './fault-own.ts';
import { eventually } from './shop.ts';

const isStopped = (pid: number): boolean => {
  try {
    return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

const isServer = (words: string) => words.includes('bin/postgres -D');
export const isInitdb = (words: string) => words.includes('bin/initdb -D');

export class Held {
  readonly #sockets: Socket[] = [];
  readonly #servers: Server[] = [];
  /** Were SIGSTOPped. Backends do not notice then that their server is gone. */
  readonly #standing: number[] = [];
  own!: Own;

  /** @param env added to its environment. */
  banyan(env?: Parameters<typeof ownBanyan>[0]): Own {
    this.own = ownBanyan(env);
    return this.own;
  }

  leave(): void {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) server.close();
    for (const pid of this.#standing) if (isStopped(pid)) process.kill(pid, 'SIGKILL');
    this.own?.remove();
  }

  async open(url: string): Promise<Socket> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname).on('error', () => {});
    this.#sockets.push(socket);
    await once(socket, 'connect');
    return socket;
  }

  /** Takes connections and says nothing. */
  async silentServer(): Promise<number> {
    const server = createServer((socket) => void this.#sockets.push(socket.on('error', () => {})));
    this.#servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as { port: number }).port;
  }

  /** Clients that never come to an end, on that port. */
  async holdOn(url: string): Promise<void> {
    (await this.open(url)).write('GET /api/catalog/products HTTP/1.1\r\nHo');
    const upload = await this.open(url);
    upload.write(
      'POST /api/users HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{',
    );
    const trickle = setInterval(() => upload.write(' '), 500);
    upload.once('close', () => clearInterval(trickle));
    const reader = await this.open(url);
    reader.pause();
    for (let n = 0; n < 300; n += 1) reader.write('GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n');
  }

  /** Sends SIGTERM; how long it took, once it has ended with 0 and nothing is left. */
  async stopped(child: { kill(signal: NodeJS.Signals): boolean }, exit: Promise<unknown>): Promise<number> {
    const begun = performance.now();
    child.kill('SIGTERM');
    expect(await exit, this.own.output()).toBe(0);
    return performance.now() - begun;
  }

  /** The embedded server's process, or the one that makes its folder; undefined while there is none. */
  find(which = isServer): number | undefined {
    return [...this.own.processes()].find(([, words]) => which(words))?.[0];
  }

  /** SIGSTOP for a process and all that it has started; answers their pids. */
  freeze(pid = this.find()!): number[] {
    // It first: standing still, it starts no more.
    process.kill(pid, 'SIGSTOP');
    this.#standing.push(pid);
    const below = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').match(/\d+/g) ?? [];
    return [pid, ...below.flatMap((one) => this.freeze(Number(one)))];
  }

  gone(pids: readonly number[]): Promise<void> {
    return eventually(() => {
      for (const pid of pids) expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
      expect(this.own.processes()).toEqual(new Map());
    });
  }

  /** The embedded server by its own file, which is quicker than a look at every process. */
  get server(): { pid: number; port: number | undefined } | undefined {
    const file = join(this.own.dataDir, 'postgres', 'data', 'postmaster.pid');
    if (!existsSync(file)) return undefined;
    // It is written a line at a time.
    const [pid, , , port] = readFileSync(file, 'utf8').split('\n');
    return pid ? { pid: Number(pid), port: Number(port) || undefined } : undefined;
  }

  /** Whether the embedded server answers, and has the schema. */
  async hasSchema(schema: string): Promise<boolean> {
    const port = this.server?.port;
    if (!port) return false;
    const password = readFileSync(join(this.own.dataDir, 'postgres-password'), 'utf8');
    const client = new pg.Client(`postgres://postgres:${password}@127.0.0.1:${port}/banyan`);
    client.on('error', () => {});
    try {
      await client.connect();
      const { rows } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
      return rows.length > 0;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => {});
    }
  }
}
