// All benchmarks but those of events, one after another: `npm run bench`. What they print, with machine, versions,
// repeats and spread, is shown and written to bench/RESULTS.md, whatever it says.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (file: string) => fileURLToPath(new URL(file, import.meta.url));

const sections: readonly [title: string, script: string][] = [
  ['Calls between modules', './calls/run.ts'],
  ['The product over HTTP', './http/run.ts'],
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

const parts = [
  '# Results',
  '',
  'Written by `npm run bench`. What the profiles said is in [RESULTS-calls.md](RESULTS-calls.md). Timings gate no test.',
];
for (const [title, script] of sections) {
  process.stderr.write(`${title}\n`);
  parts.push('', `## ${title}`, `\`node bench/${script.slice(2)}\``, '', (await measure(script)).trim());
}
parts.push('', readFileSync(here('./http/profiles.md'), 'utf8').trim());
writeFileSync(here('./RESULTS.md'), `${parts.join('\n')}\n`);
