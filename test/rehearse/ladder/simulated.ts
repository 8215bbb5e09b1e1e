// The thread of one truth: climbs its ladders and says what came of them.
import { parentPort, workerData } from 'node:worker_threads';
import { climbed, TRUTHS } from '../../../src/banyan/ladder/testing/simulation.ts';
import { WAYS } from './promised.ts';
import type { Work } from './simulation.ts';

const { way, truth, runs, perSecond, seed } = workerData as Work;
parentPort!.postMessage(climbed(TRUTHS[truth]!.truth, { runs, perSecond, seed, wish: WAYS[way].wish }));
