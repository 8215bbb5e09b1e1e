// `npm run kafka`: a real Kafka broker until Ctrl-C. Prints `BROKER_URL=kafka://host:port` on a line of its own
// once it answers, and leaves nothing behind.
import { join } from 'node:path';
import { KAFKA_VERSION, startBroker } from '../src/banyan/events/testing/broker.ts';
import { countOf, readArguments } from './arguments.ts';
import { endAll } from './end-all.mjs';

const USAGE = `npm run kafka -- [options]
  --port N      where it listens (9092; a free one when that is taken)
  --version V   of Kafka (${KAFKA_VERSION})`;
const values = readArguments(USAGE, {
  port: { type: 'string', default: '9092' },
  version: { type: 'string', default: KAFKA_VERSION },
});
const port = values.port === '0' ? 0 : countOf('port', values.port, USAGE);

// Each of them, as often as it comes: Ctrl-C reaches us by the terminal and by npm.
const ended = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => resolve());
});

try {
  const starting = startBroker({
    version: values.version,
    port,
    cacheDir: join(import.meta.dirname, '../node_modules/.cache/kafka'),
    say: (line) => console.error(line),
  });
  starting.catch(() => {});
  const broker = await Promise.race([starting, ended]);
  if (!broker) {
    // Told to end while it starts or is still fetched: what it runs for that ends first.
    await endAll();
    await (await starting.catch(() => undefined))?.stop();
    process.exit(130);
  }
  console.log(`BROKER_URL=${broker.url}`);
  console.error('Ctrl-C ends it and removes its data.');
  const how = await Promise.race([ended, broker.gone()]);
  await broker.stop();
  if (how !== undefined) {
    console.error(`The broker has ended by itself (${how}), and its data is removed. Next: npm run kafka`);
    process.exitCode = 1;
  }
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
