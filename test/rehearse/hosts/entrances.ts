// What stands before two gateways, as a balancer of a cloud does: it asks each whether it is ready, sends requests to those that
// are, in turn, and one that was refused a connection to the next; what may have begun it never repeats.
// It must not know what is asked.
import { Agent, request } from 'undici';
import { wasNothingSent } from '../../../src/banyan/routing/failover.ts';

const LOOK_MS = 200;
const ANSWERS_MS = 1_000;

export class Entrances {
  readonly #urls: () => readonly string[];
  readonly #agent = new Agent({ connections: 2, connect: { timeout: ANSWERS_MS } });
  readonly #looks: NodeJS.Timeout;
  #ready: readonly boolean[] = [];
  #looking = false;
  #turn = 0;

  constructor(urls: () => readonly string[]) {
    this.#urls = urls;
    this.#looks = setInterval(() => void this.#look(), LOOK_MS);
  }

  async through<T>(ask: (url: string) => Promise<T>): Promise<T> {
    const urls = this.#urls();
    this.#turn += 1;
    const inTurn = urls.map((_, n) => (n + this.#turn) % urls.length);
    const ready = inTurn.filter((n) => this.#ready[n]);
    const [first, next] = ready.length > 0 ? ready : inTurn;
    try {
      return await ask(urls[first!]!);
    } catch (error) {
      if (next === undefined || !wasNothingSent((error as NodeJS.ErrnoException).code)) throw error;
      return ask(urls[next]!);
    }
  }

  close(): void {
    clearInterval(this.#looks);
    void this.#agent.destroy();
  }

  async #look(): Promise<void> {
    if (this.#looking) return;
    this.#looking = true;
    this.#ready = await Promise.all(this.#urls().map((url) => this.#isReady(url)));
    this.#looking = false;
  }

  async #isReady(url: string): Promise<boolean> {
    try {
      const signal = AbortSignal.timeout(ANSWERS_MS);
      const answer = await request(`${url}/health/ready`, { dispatcher: this.#agent, signal });
      await answer.body.dump();
      return answer.statusCode === 200;
    } catch {
      return false;
    }
  }
}
