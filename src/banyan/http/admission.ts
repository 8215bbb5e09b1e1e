// Whether a request may begin: asked by the routes when all of it is there, before anything is done for it. The port
// that mounts the routes decides; without it everything begins. A refusal is not a failure. It is not logged,
// since a flood of requests would become a flood of lines.
import { Problem } from '../contract/problem.ts';

/** Runs the work, or rejects with Shed. `deadline` in milliseconds since the epoch. */
export type Admission = <T>(deadline: number, work: () => Promise<T>) => Promise<T>;

/** Refused because there is too much to do, or because its time was over before it began. */
export class Shed extends Problem {}
