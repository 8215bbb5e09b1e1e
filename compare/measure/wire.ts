// What goes between the processes of a topology: requests and calls, and bytes on the internal ports, both ways, as
// the hosts' own metrics count them: each once, by the host that sent it away. What the scrapes themselves cost is taken off.
import type { HostProcess } from '../topology/instance.ts';

export interface WireCount {
  readonly calls: number;
  readonly bytes: number;
}

export class WireWatch {
  readonly #hosts: readonly HostProcess[];
  #first: WireCount | undefined;
  #second: WireCount | undefined;

  constructor(hosts: readonly HostProcess[]) {
    this.#hosts = hosts;
  }

  /** Two scrapes, so that the cost of one is known. */
  async begin(): Promise<void> {
    this.#first = await scrapeAll(this.#hosts);
    this.#second = await scrapeAll(this.#hosts);
  }

  /** Undefined where a host gave no answer or counts no bytes. */
  async end(): Promise<WireCount | undefined> {
    const last = await scrapeAll(this.#hosts);
    const [first, second] = [this.#first, this.#second];
    if (!first || !second || !last) return undefined;
    return {
      calls: last.calls - second.calls,
      bytes: Math.max(0, last.bytes - second.bytes - (second.bytes - first.bytes)),
    };
  }
}

async function scrapeAll(hosts: readonly HostProcess[]): Promise<WireCount | undefined> {
  try {
    const all = await Promise.all(hosts.map(scrape));
    return {
      calls: all.reduce((sum, one) => sum + one.calls, 0),
      bytes: all.reduce((sum, one) => sum + one.bytes, 0),
    };
  } catch {
    return undefined;
  }
}

async function scrape({ name, url }: HostProcess): Promise<WireCount> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(5000) });
  const text = await response.text();
  let calls = 0;
  let bytes = 0;
  for (const line of text.split('\n')) {
    const value = () => Number(line.slice(line.lastIndexOf(' ') + 1));
    const side = /^banyan_requests_total\{.*side="([a-z-]+)"/.exec(line)?.[1];
    // Whatever goes to a service goes to another process; from a service, what goes back to the monolith does, too.
    if (side === 'service' || (side !== undefined && name !== 'monolith')) calls += value();
    else if (line.startsWith('banyan_internal_bytes_total{')) bytes += value();
  }
  return { calls, bytes };
}
