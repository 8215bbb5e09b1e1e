// What a host's process takes of its machine, as it says itself: seconds of processor since it began, and memory. A reader
// takes differences of the seconds. It knows no module.

export interface HostCost {
  /** User and system time of all its threads, in seconds. */
  readonly cpuSeconds: number;
  /** What is resident, in bytes. */
  readonly memoryBytes: number;
}

export function costOfProcess(): HostCost {
  const { user, system } = process.cpuUsage();
  return { cpuSeconds: (user + system) / 1e6, memoryBytes: process.memoryUsage.rss() };
}
