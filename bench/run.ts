// Calls and the product over HTTP, one after another: `npm run bench`. What they print, with machine, versions, repeats
// and spread, is shown and written to bench/RESULTS.md, whatever it says.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { writeSection } from './results.ts';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const sections: readonly [name: string, script: string][] = [
  ['calls', './calls/run.ts'],
  ['http', './http/run.ts'],
];

function measure(script: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [here(script)], { stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      process.stdout.write(text);
    });
    child.on('exit', (code) =>
      code === 0 ? resolve(output) : reject(new Error(`${script} ended with ${code}`)),
    );
  });
}

for (const [name, script] of sections) {
  process.stderr.write(`${name}\n`);
  writeSection(name, `\`node bench/${script.slice(2)}\`\n\n${await measure(script)}`);
}
