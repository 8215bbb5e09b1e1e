// The load generator as a process of its own: takes plans over IPC, one at a time, answers results, ends when its
// parent does. Apart from those who measure and are measured, so that its CPU time can be told from theirs.
import { drive } from './drive.ts';
import type { LoadPlan } from './plan.ts';

const abort = new AbortController();
process.on('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole group; the parent ends this process when it has no more use for it.
process.on('SIGINT', () => {});

process.on('message', (message: { plan?: LoadPlan; abort?: true }) => {
  if (message.abort) abort.abort();
  if (!message.plan) return;
  drive(message.plan, abort.signal).then(
    (result) => process.send!({ result }),
    (error: Error) => process.send!({ error: error.stack ?? error.message }),
  );
});
process.send!({ ready: true });
