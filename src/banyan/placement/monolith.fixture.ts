// As much of a monolith as placement is, in a process of its own: what a test freezes. Started by fork() with the URL
// of its control tables and the contracts it serves; says where its door is, and runs until its parent is gone.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { CanonicalContract } from './canonical.ts';
import { startTestMonolith } from './fixture.ts';

export interface MonolithProcess {
  readonly url: string;
  signal(name: 'SIGSTOP' | 'SIGCONT'): void;
  stop(): Promise<void>;
}

export async function forkTestMonolith(
  url: string,
  contracts: Record<string, CanonicalContract>,
): Promise<MonolithProcess> {
  const script = fileURLToPath(import.meta.url);
  const child: ChildProcess = fork(script, [url, JSON.stringify(contracts)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [door] = (await once(child, 'message')) as [string];
  return {
    url: door,
    signal: (name) => void child.kill(name),
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.on('disconnect', () => process.exit(0));
  const one = await startTestMonolith(process.argv[2]!, { contracts: JSON.parse(process.argv[3]!) });
  process.send!(one.url);
}
