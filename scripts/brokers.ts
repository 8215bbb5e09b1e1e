// `npm run test:brokers [-- VERSION…]`: the conformance suite of the event log against every Kafka that we say we
// work with, each a real broker started here. RELEASE is the newest that Maven knows, asked anew each time.
// Exit code 1 unless every version passes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fetchJars } from '../src/banyan/events/testing/broker.ts';

const root = join(import.meta.dirname, '..');
const versions = process.argv.length > 2 ? process.argv.slice(2) : ['3.9.1', '4.0.0', '4.1.0', 'RELEASE'];

/** What a name like RELEASE turned out to be. */
function resolved(version: string): string {
  try {
    const jars = readdirSync(join(cacheDir, version, 'libs'));
    return jars.map((jar) => /^kafka_2\.13-(.+)\.jar$/.exec(jar)?.[1]).find(Boolean) ?? version;
  } catch {
    return version;
  }
}

const cacheDir = join(root, 'node_modules/.cache/kafka');
rmSync(join(cacheDir, 'RELEASE'), { recursive: true, force: true });
// Before the suites, which do not wait for a download.
for (const version of versions) await fetchJars(cacheDir, version, (line) => console.error(line));

const results: { version: string; passed: boolean }[] = [];
for (const version of versions) {
  const { BROKER_URL: _, ...env } = process.env;
  const suite = spawn(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...['--config', 'vitest.long.config.ts'],
      'src/banyan/log/kafka/kafka.test.ts',
    ],
    { cwd: root, stdio: 'inherit', env: { ...env, KAFKA_VERSION: version, CI: 'true' } },
  );
  const [status] = await once(suite, 'exit');
  results.push({ version: resolved(version), passed: status === 0 });
}

for (const { version, passed } of results) console.log(`Kafka ${version}: ${passed ? 'passed' : 'FAILED'}`);
process.exitCode = results.every((one) => one.passed) ? 0 : 1;
