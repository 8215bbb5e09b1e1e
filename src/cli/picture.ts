// The status as a picture in 80 columns: one line per module, its processes hung below it like the roots of a
// fig, and at the end what to try next, chosen by what is seen.
import { releaseShown, stepsOfDeploy } from '../banyan/console/shared/deploy-words.ts';
import { servesInWords } from '../banyan/console/shared/words.ts';
import type { Entry, InstanceStatus, Overview } from '../banyan/placement/admin-contract.ts';
import type { StoreEntry } from '../banyan/servers/desk/contract.ts';
import type { Suggestions } from './application.ts';
import { drawDeploy, isOnItsWay } from './deploy-lines.ts';
import { cameDown, climbs, drawLadder, drawMirror, drawStoreLine } from './move-lines.ts';
import { shorten } from './plain.ts';
import type { Style } from './terminal.ts';
import { drawTroubles, type Trouble } from './troubles.ts';

export interface PictureOptions {
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly style: Style;
  readonly suggestions: Suggestions;
  /** Where stores are, as far as that is known. */
  readonly stores?: readonly StoreEntry[];
  /** What was not handled and what is stuck, as far as that is known. */
  readonly troubles?: readonly Trouble[];
}

const WIDTH = 80;

export function drawStatus(overview: Overview, options: PictureOptions): string {
  const { style, url, troubles = [] } = options;
  const { version, monolith, monoliths, modules } = overview;
  const replicas = monoliths.length > 1 ? `, ${monoliths.length} replicas` : '';
  const longest = Math.max(6, ...modules.map(({ module }) => module.length));
  return [
    '',
    `  ${style('bold', 'Banyan')} at ${url}  ${style('dim', `pid ${monolith.pid}${replicas}, version ${version}`)}`,
    '',
    style('dim', `  ${'module'.padEnd(longest + 2)}   serves       changed`),
    ...modules.flatMap((entry) => drawModule(entry, longest, options)),
    '',
    ...drawTroubles(troubles, style),
    ...drawNext(modules, options),
    '',
  ].join('\n');
}

function drawModule(entry: Entry, longest: number, { now, style, stores = [] }: PictureOptions): string[] {
  const { module, placement, instances, tooOld = [] } = entry;
  const extracted = placement !== 'in-process';
  const name = extracted ? style('bold', module.padEnd(longest + 2)) : module.padEnd(longest + 2);
  const where = extracted ? style('cyan', servesInWords(entry).padEnd(11)) : 'in-process ';
  const room = WIDTH - longest - 20;
  const changed = shorten(`${ago(now - Date.parse(entry.changedAt))}, ${entry.changedBy}`, room);
  const shown = (one: InstanceStatus) =>
    one.url === null ? undefined : releaseShown(instances, entry.deploy, one);
  const roots = instances.flatMap((instance, index) =>
    drawInstance(instance, extracted, index === instances.length - 1, longest, style, shown(instance)),
  );
  const missing =
    extracted && instances.length === 0 ? [`  ${style('red', `└ no process: ${without(placement)}`)}`] : [];
  const old = tooOld.map((id) =>
    style('yellow', shorten(`  ! too old for ${placement}, sends all to the monolith: ${id}`, WIDTH)),
  );
  return [
    `  ${name}   ${where}  ${style('dim', changed)}`,
    ...drawLadder(entry, style),
    ...drawDeploy(entry, style),
    ...drawMirror(entry, style),
    ...drawStoreLine(
      stores.find((one) => one.module === module),
      style,
    ),
    ...roots,
    ...missing,
    ...old,
  ];
}

/** What comes of requests while nobody is there. */
const without = (placement: Entry['placement']) =>
  placement === 'canary'
    ? 'its share is served in-process'
    : placement === 'shadow'
      ? 'nothing is tried'
      : 'every request gets 503';

function drawInstance(
  { id, pid, url, healthy, draining, supervised, heldOut = [], lastExit, differences }: InstanceStatus,
  serving: boolean,
  last: boolean,
  longest: number,
  style: Style,
  release: string | undefined,
): string[] {
  const state = draining ? 'draining' : healthy ? (serving ? 'healthy' : 'healthy, idle') : 'down';
  const colour = healthy ? 'green' : draining ? 'yellow' : 'red';
  const process = (pid === null ? 'starting' : `pid ${pid}`).padEnd(11);
  const line = `  ${last ? '└' : '├'} ${id.padEnd(longest + 2)} ${process}  ${style(colour, state.padEnd(13))} ${url ?? ''}`;
  const bar = last ? ' ' : '│';
  return [
    line.trimEnd(),
    ...(release === undefined ? [] : [`  ${bar}   ${style('dim', shorten(release, WIDTH - 6))}`]),
    ...(supervised ? [] : [`  ${bar}   ${style('dim', 'started elsewhere: restore does not stop it')}`]),
    ...heldOut.map(
      ({ by, reason }) =>
        `  ${bar}   ${style('red', shorten(`${by} sends it nothing: ${reason}`, WIDTH - 6))}`,
    ),
    ...(lastExit ? [`  ${bar}   ${style('red', shorten(`ended: ${lastExit}`, WIDTH - 6))}`] : []),
    ...differences.map(
      ({ path, message }) =>
        `  ${bar}   ${style('yellow', shorten(`differs: ${path} ${message}`, WIDTH - 6))}`,
    ),
  ];
}

interface Step {
  readonly command: string;
  readonly why: string;
}

function drawNext(modules: readonly Entry[], options: PictureOptions): string[] {
  const { style } = options;
  const steps = nextSteps(modules, options);
  if (steps.length === 0) return [];
  // An address may be long: it stands alone, and the others still line up.
  const longest = Math.max(...steps.map(({ command }) => command.length).filter((length) => length < 40));
  return [
    `  ${style('dim', 'Try next')}`,
    ...steps.map(({ command, why }) =>
      command.length > longest
        ? `    ${style('green', command)}`
        : `    ${style('green', command.padEnd(longest))}  ${style('dim', why)}`,
    ),
  ];
}

/** At most four, the most urgent first. */
function nextSteps(modules: readonly Entry[], { url, suggestions }: PictureOptions): Step[] {
  const { request } = suggestions;
  const steps: Step[] = [];
  const up = (entry: Entry) => entry.instances.filter(({ healthy }) => healthy).length;
  const down = modules.filter(
    (entry) => entry.placement !== 'in-process' && up(entry) < Math.max(1, entry.instances.length),
  );
  const broken = down[0];
  const idle = modules.find((entry) => entry.placement === 'in-process' && up(entry) > 0 && !cameDown(entry));
  // What somebody else started is neither started, stopped nor read here.
  const isOurs = ({ instances }: Entry) => instances.some(({ supervised }) => supervised);
  const startable = down.filter((entry) => entry.instances.length === 0 || isOurs(entry));
  const extracted = modules.find((entry) => entry.placement === 'service' && up(entry) > 0);
  const shared = modules.find((entry) => entry.placement === 'canary' && up(entry) > 0 && !climbs(entry));
  const laddered = modules.find(climbs) ?? modules.find(cameDown);
  const inside = nextOutside(modules, suggestions);
  if (broken) {
    const names = startable
      .filter(({ placement }) => placement === 'service')
      .map(({ module }) => module)
      .join(' ');
    const share = startable.find(({ placement }) => placement === 'canary');
    if (names) steps.push({ command: `npx banyan extract ${names}`, why: 'start what is missing, now' });
    if (share)
      steps.push({
        command: `npx banyan extract ${share.module} -p ${share.percent}`,
        why: 'start what is missing, for its share',
      });
    const [first] = startable;
    if (first) steps.push({ command: `npx banyan logs ${first.module}`, why: 'why it ended' });
    else
      steps.push({ command: `npx banyan restore ${broken.module}`, why: 'the monolith serves it meanwhile' });
  }
  if (laddered) {
    const why = climbs(laddered) ? 'where its ladder is, on what evidence' : 'why it came down';
    steps.push({ command: `npx banyan ladder status ${laddered.module}`, why });
  }
  if (idle) {
    steps.push({ command: `npx banyan place ${idle.module} service`, why: 'send it its requests' });
    if (isOurs(idle))
      steps.push({ command: `npx banyan restore ${idle.module}`, why: 'or stop its processes' });
  }
  const beside = modules.find(isOnItsWay);
  if (beside && !broken) for (const [command, why] of stepsOfDeploy(beside)) steps.push({ command, why });
  if (shared && !broken) {
    const { module, percent } = shared;
    const more = Math.min(99, percent < 10 ? 10 : percent < 50 ? 50 : 90);
    if (more > percent)
      steps.push({ command: `npx banyan place ${module} canary -p ${more}`, why: 'a larger share' });
    const all = isOurs(shared) ? `npx banyan extract ${module}` : `npx banyan place ${module} service`;
    steps.push({ command: all, why: 'all of its requests' });
    steps.push({ command: `npx banyan restore ${module}`, why: 'none, back into the monolith' });
  }
  if (extracted && (extracted !== broken || startable.length > 0)) {
    steps.push({ command: `npx banyan restore ${extracted.module}`, why: 'back into the monolith' });
    if (!broken && isOurs(extracted))
      steps.push({ command: `npx banyan logs ${extracted.module} -f`, why: 'what its processes say' });
  }
  if (!broken && !shared && inside)
    steps.push({
      command: `npx banyan extract ${inside.module}`,
      why: 'into a service of its own, while it runs',
    });
  if (!broken && request)
    steps.push({ command: `curl -i '${url}${request}'`, why: 'x-served-by says who answered' });
  return steps.slice(0, 4);
}

/** The module to extract next. */
function nextOutside(
  modules: readonly Entry[],
  { extractFirst, extractNever }: Suggestions,
): Entry | undefined {
  const inside = modules.filter(
    ({ module, placement }) => placement === 'in-process' && module !== extractNever,
  );
  return inside.find(({ module }) => module === extractFirst) ?? inside[0];
}

/** `12 s ago`. */
export function ago(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}
