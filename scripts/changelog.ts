// `npm run --silent changelog -- --since v1.2.0`: what a release says of itself, as Markdown on stdout.
import { fileURLToPath } from 'node:url';
import { openCheckout } from '../pipeline/checkout.ts';
import { promiseDiffSince } from '../pipeline/contracts/since.ts';
import { layoutOf } from '../pipeline/layout.ts';
import { changelog } from '../pipeline/release/changelog.ts';
import { Failure } from '../src/cli/failure.ts';
import { shopApp } from '../src/shop.ts';
import { readArguments, refuse } from './arguments.ts';

const USAGE = `npm run --silent changelog -- [--since REV]
  --since REV   the release before: a tag or commit. Without it, the first release`;

const root = fileURLToPath(new URL('..', import.meta.url));
const { since } = readArguments(USAGE, { since: { type: 'string' } });
try {
  const checkout = openCheckout(root);
  const diff = since === undefined ? undefined : await promiseDiffSince(checkout, since, shopApp);
  const commits = diff ? checkout.commitsSince(diff.commit) : [];
  const version = `v${shopApp.version}`;
  process.stdout.write(changelog({ version, since }, commits, diff?.diff, layoutOf(root, shopApp)));
} catch (error) {
  if (error instanceof Failure) refuse(`${error.message} ${error.next ?? ''}`.trim(), USAGE);
  throw error;
}
