// Preloaded into a process that is to be profiled (`node --import`): SIGUSR2 starts V8's sampling profiler, the next
// SIGUSR2 ends it and writes a .cpuprofile to PROFILE_TO. So a profile holds the load alone, and not the start.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

/** Microseconds. */
const INTERVAL = 250;

const session = new Session();
session.connect();
let running = false;
process.on('SIGUSR2', async () => {
  running = !running;
  if (running) {
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL });
    await session.post('Profiler.start');
    return;
  }
  const { profile } = await session.post('Profiler.stop');
  writeFileSync(`${process.env.PROFILE_TO}-${process.argv[2]}.cpuprofile`, JSON.stringify(profile));
});
