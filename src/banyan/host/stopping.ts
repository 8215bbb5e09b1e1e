// The times of a stop, in milliseconds from its end of DRAIN_DELAY_MS on. Each part has its turn, and what is not over
// then is cut off, so that the process ends within DRAIN_MS and two seconds more whatever its clients, its services or
// its database do. A stop in which nobody holds on to anything takes none of these times.

/** What is in flight, services and background work end within this. */
export const DRAIN_MS = 20_000;

/** Clients alone: a request has a deadline of 15 s, so whoever is there later reads or sends without end. */
export const CLIENTS_MS = 17_000;

/** Then services of its own are killed. */
export const SERVICES_MS = 19_000;

/** Work without a request: a job's run, a batch of events. What is cut off is claimed again when its lease is over. */
export const BACKGROUND_MS = 10_000;

/** To tell the registry that this host drains. */
export const TELL_MS = 2_000;

/** A host that is past DRAIN_MS has cut off everything and is about to end. */
export const GRACE_MS = 2_500;
