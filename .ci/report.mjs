// What a report of vitest says, for the gate. `counts REPORT` prints how many tests passed and how many failed; a file
// that failed with no test of it (an import, a hook) counts as one. `files REPORT` prints the files that failed, by
// their paths from here.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';

const [what, path] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8'));
const failed = report.testResults.filter(({ status }) => status === 'failed');
const whole = failed.filter(({ assertionResults }) =>
  assertionResults.every(({ status }) => status !== 'failed'),
);

if (what === 'counts') console.log(report.numPassedTests, report.numFailedTests + whole.length);
else for (const { name } of failed) console.log(relative(process.cwd(), name));
