// `npm run kafka`: a real Kafka broker until Ctrl-C. Prints `BROKER_URL=kafka://host:port` on a line of its own
// once it answers, and leaves nothing behind.
import { join } from 'node:path';
import { KAFKA_VERSION, startBroker } from '../src/kernel/events/testing/broker.ts';
import { countOf, readArguments } from './arguments.ts';

const usage = `npm run kafka -- [options]
  --port N      where it listens (9092; a free one when that is taken)
  --version V   of Kafka (${KAFKA_VERSION})`;
const values = readArguments(usage, {
  port: { type: 'string', default: '9092' },
  version: { type: 'string', default: KAFKA_VERSION },
});
const port = values.port === '0' ? 0 : countOf('port', values.port, usage);

const ended = new Promise<void>((resolve) => {
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
});

try {
  const broker = await startBroker({
    version: values.version,
    port,
    cacheDir: join(import.meta.dirname, '../node_modules/.cache/kafka'),
    say: (line) => console.error(line),
  });
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
