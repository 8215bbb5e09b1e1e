// `npm run audit`: whether a registry knows a weakness of what the lockfile names. Ends with 1 for one of severity high or
// critical, and names it with what to do. Where no registry answers (offline, a mirror without advisories) it says that
// nothing was checked and ends with 0: a gate without a network must still be able to pass.
import { npm } from './npm.mjs';

const SERIOUS = new Set(['high', 'critical']);

const { output, errors } = await npm(
  ['audit', '--json', '--package-lock-only', '--fetch-retries=1', '--fetch-timeout=20000'],
  90_000,
);
const report = parsed(output);
if (!report?.metadata?.vulnerabilities) {
  const why = report?.message ?? report?.error?.summary ?? errors.trim().split('\n')[0] ?? '';
  console.log(`audit: no registry answered, so nothing was checked (${why || 'it said nothing'}).`);
  process.exit(0);
}

const found = Object.values(report.vulnerabilities);
for (const one of found) console.log(lineOf(one));
const serious = found.filter(({ severity }) => SERIOUS.has(severity));
const total = report.metadata.dependencies?.total ?? '?';
console.log(
  `audit: ${total} packages, ${found.length} with a known weakness, ${serious.length} of them high or critical.`,
);
process.exitCode = serious.length > 0 ? 1 : 0;

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function lineOf({ name, severity, range, via, fixAvailable }) {
  const own = via.filter((one) => typeof one === 'object').map(({ title, url }) => `${title} (${url})`);
  const cause = own.length > 0 ? own.join('; ') : `by ${via.join(', ')}`;
  const fix = fixAvailable
    ? typeof fixAvailable === 'object'
      ? `npm install ${fixAvailable.name}@${fixAvailable.version}`
      : 'npm audit fix'
    : 'none yet';
  return `${severity}: ${name} ${range}: ${cause}. Fix: ${fix}`;
}
