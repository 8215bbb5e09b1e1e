// `npm run chart:check`: gets what the chart is checked with, then checks every two of its values against every Kubernetes that it
// is for, and the examples; with --apiserver also by a real API. Exit 0: all held; 1: what did not is printed, or what it needs could not
// be had; 2: no such option.
import { readArguments } from '../../scripts/arguments.ts';
import { checkAll, type Found } from './checked.ts';
import { examples } from './examples.ts';
import { eachPair, eachValue, valuesOf } from './matrix.ts';
import { lint } from './rendered.ts';
import { openSchemas, type Schemas } from './schemas.ts';
import { fetchTools, type Tools } from './tools.ts';
import { tryAll } from './tried.ts';

const USAGE = `npm run chart:check -- [options]
  --tools          only gets what it is checked with, into node_modules/.cache/chart
  --apiserver URL  applies each to the Kubernetes that kubectl proxy opens there,
                   http://127.0.0.1:8001: one to throw away, definitions stay`;
const { tools: alone, apiserver } = readArguments(USAGE, {
  tools: { type: 'boolean', default: false },
  apiserver: { type: 'string' },
});

const cases = [...eachValue(), ...eachPair()];
const say = (line: string) => process.stdout.write(`${line}\n`);

try {
  const tools = await fetchTools(say);
  if (!alone) {
    const held = (await checkWhole(tools)) && (apiserver === undefined || (await tryWhole(apiserver, tools)));
    process.exitCode = held ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

async function checkWhole(tools: Required<Tools>): Promise<boolean> {
  const schemas = openSchemas(tools);
  say(`schemas: ${schemas.map(({ name }) => name).join(', ')}`);
  for (const name of ['minimal', 'services', 'everything'])
    await lint(tools.helm, valuesOf(`ci/${name}-values.yaml`));
  say('helm lint: 3 files of values, nothing said');
  let objects = 0;
  const onFound = (found: Found) => {
    objects += found.objects;
    for (const line of found.wrong) say(`  ${found.name}: ${line}`);
  };
  const found = await checkAll(tools.helm, cases, schemas, onFound);
  const wrong = [...found.flatMap((one) => one.wrong), ...checkExamples(schemas)];
  say(
    `${cases.length} releases of ${objects} objects, against ${schemas.length} Kubernetes: ${wrong.length} wrong`,
  );
  return wrong.length === 0;
}

async function tryWhole(url: string, tools: Required<Tools>): Promise<boolean> {
  let [releases, objects, wrong] = [0, 0, 0];
  const version = await tryAll(url, tools, cases, (found) => {
    releases += 1;
    objects += found.objects;
    wrong += found.wrong.length;
    for (const line of found.wrong) say(`  ${found.name}: ${line}`);
  });
  say(`${releases} releases of ${objects} objects, applied to Kubernetes ${version}: ${wrong} wrong`);
  return wrong === 0;
}

function checkExamples(schemas: readonly Schemas[]): string[] {
  return examples().flatMap(({ file, objects }) => {
    const [known, unknown] = [true, false].map((is) =>
      objects.filter((one) => schemas[0]!.knows(one) === is),
    );
    const kinds = [...new Set(unknown!.map(({ kind }) => kind))].join(', ');
    if (kinds) say(`${file}: read as YAML; nothing is known here of ${kinds}`);
    const lines = known!.flatMap((object) =>
      schemas[0]!.complaints(object).map((line) => `${file}, ${object.kind}: ${line}`),
    );
    for (const line of lines) say(`  ${line}`);
    return lines;
  });
}
