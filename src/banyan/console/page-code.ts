// TypeScript of the page as a browser runs it: types become blanks, so that lines and columns stay. Node's own stripper does
// it; its first use takes a fifth of a second of a thread, so it has one of its own, which is gone when the files are done.
// It knows no file.
import { Worker } from 'node:worker_threads';

const program = `
const { parentPort, workerData } = require('node:worker_threads');
process.removeAllListeners('warning');
const { stripTypeScriptTypes } = require('node:module');
parentPort.postMessage(workerData.map((code) => stripTypeScriptTypes(code)));
`;

/** The same texts, in their order, without types. Rejects where one has what cannot be blanked out. */
export function stripTypes(codes: readonly string[]): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(program, { eval: true, workerData: codes, execArgv: ['--no-warnings'] });
    worker.once('message', resolve).once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the stripper of the console's page ended with ${code}`)));
    worker.unref();
  });
}
