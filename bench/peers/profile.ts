// Where Banyan's CPU goes under the load of the peers: V8's sampling profiler in every host of a shape, as one flame
// graph of all of them. `cargo install inferno`, then `node bench/peers/profile.ts` writes bench/profiles/*.svg and the
// folded stacks under them (*.folded: one stack a line, for inferno, speedscope.app and the like).
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { load } from './load.ts';
import { stop } from './processes.ts';
import { startVariant } from './stage.ts';
import { type Shape, type Variant, variants } from './variants.ts';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}
interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** Stacks with less than this share are left out: they are no wider than a pixel. */
const LEAST = 0.0006;
const SECONDS = 6;
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const out = here('../profiles');

for (const [shape, name] of [
  ['in one process', 'one-process'],
  ['apart', 'apart'],
] as const) {
  const stacks = await profile(shape);
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `${name}.folded`), stacks);
  const title = `Banyan ${shape}, GET of one order, 32 connections: CPU by V8's samples`;
  const svg = execFileSync('inferno-flamegraph', ['--title', title, '--minwidth', '0.2', '--width', '1200'], {
    input: stacks,
    maxBuffer: 2 ** 26,
  });
  writeFileSync(join(out, `${name}.svg`), svg);
}
process.exit(0);

async function profile(shape: Shape): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'banyan-profile-'));
  const running = await startVariant(profiled(variants[0]!, join(folder, 'host')), shape, undefined);
  const toggle = () => {
    for (const { child } of running.processes) child.kill('SIGUSR2');
  };
  try {
    await load(running, 4);
    toggle();
    await load(running, SECONDS);
    toggle();
    const until = Date.now() + 15_000;
    while (
      readdirSync(folder).filter((file) => whole(join(folder, file))).length < running.processes.length
    ) {
      if (Date.now() > until) throw new Error(`not every host wrote its profile into ${folder}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    return folded(readdirSync(folder).map((file) => [labelOf(file), read(join(folder, file))] as const));
  } finally {
    await stop(running.processes);
    rmSync(folder, { recursive: true, force: true });
  }
}

function profiled(variant: Variant, to: string): Variant {
  return {
    ...variant,
    commands: async (...given) =>
      (await variant.commands(...given)).map(({ env, ...rest }) => ({
        ...rest,
        flags: ['--import', here('./profiled.ts')],
        env: { ...env, PROFILE_TO: to },
      })),
  };
}

function read(file: string): Profile {
  return JSON.parse(readFileSync(file, 'utf8')) as Profile;
}

function whole(file: string): boolean {
  try {
    return read(file).samples.length > 0;
  } catch {
    return false;
  }
}

/** `host-none.cpuprofile`: the gateway alone. */
function labelOf(file: string): string {
  const which = file.slice('host-'.length, -'.cpuprofile'.length);
  return { all: 'monolith', none: 'gateway' }[which] ?? which;
}

/** Microseconds by stack, the process first; idle time and the profiler itself are left out. */
function folded(profiles: readonly (readonly [string, Profile])[]): string {
  const times = new Map<string, number>();
  for (const [label, { nodes, samples, timeDeltas }] of profiles) {
    const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node])));
    const byId = new Map(nodes.map((node) => [node.id, node]));
    const stackOf = new Map<number, string>();
    const stack = (id: number): string => {
      let text = stackOf.get(id);
      if (text === undefined) {
        const parent = parents.get(id);
        text = parent ? `${stack(parent.id)};${frame(byId.get(id)!)}` : label;
        stackOf.set(id, text);
      }
      return text;
    };
    samples.forEach((id, at) => {
      const text = stack(id);
      if (!text.includes('(idle)') && !text.includes('profiled.ts'))
        times.set(text, (times.get(text) ?? 0) + timeDeltas[at]!);
    });
  }
  const all = [...times.values()].reduce((sum, time) => sum + time, 0);
  return [...times]
    .filter(([, time]) => time > all * LEAST)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([text, time]) => `${text} ${time}\n`)
    .join('');
}

function frame({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const file = url.replace(/^file:\/\//, '').replace(/^.*\/(?:node_modules|main|banyan)\/(?=[^/]+\/)/, '');
  const place = url ? ` ${file}:${lineNumber + 1}` : '';
  return `${functionName || 'anonymous'}${place}`.replaceAll(';', ',');
}
