// Faults on demand, for instances that are made to be measured: a module that burns CPU, a module that leaks. They
// answer on the internal port of a host started with BANYAN_FAULTS=1, to hosts of the same installation; on any
// other host there is no such path.
import type { FastifyInstance } from 'fastify';
import { Type } from '../contract/type.ts';
import { inputCheck } from '../contract/validation.ts';

/** A quarter of a second at a time, then a breath: requests still get through, a few at a time. */
const BURN_MS = 240;
const REST_MS = 10;
const LEAK_EVERY_MS = 50;

const closed = { additionalProperties: false };
const checkBurn = inputCheck(Type.Object({ ms: Type.Integer({ minimum: 1, maximum: 60_000 }) }, closed));
const checkLeak = inputCheck(
  Type.Object({ mbPerSecond: Type.Integer({ minimum: 1, maximum: 10_000 }) }, closed),
);

export function mountFaults(app: FastifyInstance): void {
  const leaked: unknown[] = [];
  app.post('/faults/burn', async (request, reply) => {
    checkBurn(request.body);
    const until = performance.now() + (request.body as { ms: number }).ms;
    const burn = () => {
      const rest = Math.min(until, performance.now() + BURN_MS);
      while (performance.now() < rest);
      if (rest < until) setTimeout(burn, REST_MS);
    };
    setTimeout(burn, REST_MS);
    return reply.code(202).send({});
  });

  app.post('/faults/leak', async (request, reply) => {
    checkLeak(request.body);
    const bytes = ((request.body as { mbPerSecond: number }).mbPerSecond * 2 ** 20 * LEAK_EVERY_MS) / 1000;
    // Arrays of numbers lie in the JavaScript heap, whose limit ends the process.
    setInterval(() => leaked.push(new Array(Math.ceil(bytes / 8)).fill(leaked.length + 0.5)), LEAK_EVERY_MS);
    return reply.code(202).send({});
  });
}
