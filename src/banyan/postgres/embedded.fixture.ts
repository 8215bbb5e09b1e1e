// For embedded.test.ts: a host that opens the embedded server of a folder, says so, and does nothing more.
import { pino } from 'pino';
import { openEmbedded } from './embedded.ts';

const log = pino({ level: 'info' }, { write: (line) => process.stderr.write(line) });
try {
  const { url, pid, adopted } = await openEmbedded({ dataDir: process.argv[2]!, log });
  process.stdout.write(`${JSON.stringify({ url, pid, adopted })}\n`);
  setInterval(() => {}, 1000);
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}
