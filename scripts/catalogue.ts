// `npm run catalogue`: writes docs/events-catalogue.md from the contracts and the listeners of the modules. `-- --check`
// says whether it is what the code gives, and writes nothing; exit 1 where it is not.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { CATALOGUE, madeCatalogue } from '../pipeline/catalogue/made.ts';
import { shopApp } from '../src/shop.ts';
import { readArguments } from './arguments.ts';

const USAGE = `npm run catalogue            writes ${CATALOGUE}
npm run catalogue -- --check  says whether it is current; exit 1 where it is not`;

const { check } = readArguments(USAGE, { check: { type: 'boolean' } });
const file = new URL(`../${CATALOGUE}`, import.meta.url);
const page = await madeCatalogue(shopApp);
const isCurrent = existsSync(file) && readFileSync(file, 'utf8') === page;
if (!check) writeFileSync(file, page);
else if (!isCurrent) process.exitCode = 1;
const said = isCurrent
  ? 'is current'
  : check
    ? 'is not what the code gives: npm run catalogue'
    : 'is written';
process.stdout.write(`${CATALOGUE} ${said}.\n`);
