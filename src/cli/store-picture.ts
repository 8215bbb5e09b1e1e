// What the store commands show, in 80 columns: pure, from the admin answers.
import { STORE_STEPS } from '../banyan/console/shared/words.ts';
import type { Move, Store, StoreEntry } from '../banyan/servers/desk/contract.ts';
import { type Looks, WIDTH } from './events-picture.ts';
import { leftInWords } from './move-lines.ts';
import { oneLine, shorten, wrapped } from './plain.ts';
import type { Style } from './terminal.ts';
import { local, plural, thousands } from './times.ts';

const colours = { single: 'dim', moving: 'cyan', paired: 'green', broken: 'red' } as const;

/** `12 kB behind`; nothing where nothing is behind. */
export function lagInWords(bytes: number | null): string {
  if (bytes === null) return '';
  if (bytes < 1_024) return bytes === 0 ? 'level' : `${bytes} B behind`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let n = bytes / 1_024;
  let unit = 0;
  for (; n >= 1_024 && unit < units.length - 1; unit += 1) n /= 1_024;
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${units[unit]} behind`;
}

export function drawStores(items: readonly StoreEntry[], stays: Store['stays'], { style }: Looks): string {
  const widest = (texts: readonly string[], least: number) =>
    Math.max(least, ...texts.map(({ length }) => length));
  const names =
    widest(
      items.map(({ module }) => module),
      6,
    ) + 2;
  const servers = Math.min(
    24,
    widest(
      items.map(({ server }) => server),
      6,
    ) + 2,
  );
  const row = (cells: readonly [string, string, string, string, string]) =>
    `  ${cells[0].padEnd(names)}${cells[1].padEnd(servers)}${cells[2].padEnd(7)}${cells[3].padEnd(9)}${cells[4]}`.trimEnd();
  return [
    '',
    style('dim', row(['module', 'server', 'epoch', 'state', ''])),
    ...items.flatMap(({ module, server, epoch, state, step, lag, left }) => {
      const text = row([
        oneLine(module),
        shorten(oneLine(server), servers - 1),
        String(epoch),
        state,
        step ?? lagInWords(lag),
      ]);
      const old = leftInWords({ left }).map((words) => style('dim', `    ${words}`));
      return [state === 'single' ? text : style(colours[state], text), ...old];
    }),
    ...stays.map(({ module, schema }) =>
      style('dim', `  ${oneLine(schema)} of ${oneLine(module)} stays where it is`),
    ),
    '',
    '',
  ].join('\n');
}

export function drawStore(store: Store, { style }: Looks): string {
  const { module, server, state, epoch, pairedWith, pair, move, history } = store;
  const follows = pairedWith ? `; ${oneLine(pairedWith)} follows` : '';
  const lag = pair ? [pair.state, lagInWords(pair.lagBytes)].filter(Boolean).join(', ') : '';
  return [
    '',
    `  ${style('bold', oneLine(module))} is on ${oneLine(server)}, epoch ${epoch}, ${style(colours[state], state)}${follows}`,
    ...(lag === '' ? [] : [`  the pair: ${lag}`]),
    ...(pair?.reason ? say(pair.reason, style, 'red') : []),
    ...leftInWords(store).map((words) => style('dim', `  ${words}`)),
    ...(move ? ['', ...drawMove(move, style)] : []),
    ...(history.length > 0 ? ['', style('dim', '  before')] : []),
    ...history
      .slice(0, 10)
      .map((one) =>
        style(
          'dim',
          `  ${local(one.startedAt)}  ${one.task.padEnd(9)}${oneLine(`${one.from} → ${one.to}`).padEnd(22)}${one.state}`,
        ),
      ),
    '',
    ...drawNext(store, style),
    '',
    '',
  ].join('\n');
}

/** What it does beside the command, or below where there is no room. */
export function drawNext(store: Store, style: Style): string[] {
  const next = nextOf(store);
  const fits = ([command, does]: (typeof next)[number]) => command.length + does.length + 4 <= WIDTH;
  const column = Math.max(36, ...next.filter(fits).map(([command]) => command.length)) + 2;
  return next.flatMap(([command, does]) =>
    fits([command, does])
      ? [`  ${command.padEnd(column)}${style('dim', does)}`]
      : [`  ${command}`, `    ${style('dim', does)}`],
  );
}

function drawMove(move: Move, style: Style): string[] {
  const { task, from, to, state, steps, why, findings, startedAt, startedBy, tables, notes, endedAt } = move;
  const what =
    task === 'drop'
      ? `drop what is left on ${to}`
      : task === 'verify' || task === 'finish' || task === 'abort'
        ? task
        : `${task} ${from} → ${to}`;
  return [
    `  ${style('bold', oneLine(what))}: ${state === 'running' ? stepInWords(move) : state}`,
    style('dim', `  begun ${local(startedAt)} by ${oneLine(startedBy)}`.slice(0, WIDTH)),
    ...steps
      .slice(-12)
      .map(({ step, attempt, at }) =>
        style('dim', `    ${local(at)}  ${step}${attempt > 0 ? ` (pause ${attempt + 1})` : ''}`),
      ),
    ...(endedAt === null ? [] : [style('dim', `    ${local(endedAt)}  ${endInWords(move)}`)]),
    ...pauseInWords(move).map((line) => `  ${line}`),
    ...tablesInWords(tables).map((line) => `  ${line}`),
    ...(why === null ? [] : say(why, style, state === 'running' || state === 'moved' ? 'yellow' : 'red')),
    ...findings.flatMap((one) => say(`${one.detail}. ${one.remedy}`, style, 'red')),
    ...notes.flatMap((note) => say(note, style, 'yellow')),
  ];
}

/** Where a step has the name of the end it would seem to come twice. */
const endInWords = ({ steps, state }: Pick<Move, 'steps' | 'state'>) =>
  steps.some(({ step }) => step === state) ? 'done' : state;

const say = (text: string, style: Style, colour: 'red' | 'yellow') =>
  wrapped(oneLine(text), WIDTH - 4).map((line) => `  ${style(colour, line)}`);

/** `copies, 120,000 of 1,100,000 rows (11 %)`. */
export function doingInWords(move: Move): string {
  return move.why === null ? stepInWords(move) : `${stepInWords(move)}; ${oneLine(move.why)}`;
}

function stepInWords({ step, rows, attempt, task }: Move): string {
  const text = task === 'check' ? STORE_STEPS.preflight : STORE_STEPS[step];
  const counted = step === 'copying' || step === 'verified' ? rowsInWords(rows) : '';
  const again =
    attempt > 0 && (step === 'paired' || step === 'held')
      ? `, after ${plural(attempt, 'pause')} that came to nothing`
      : '';
  return `${text}${counted}${again}`;
}

function rowsInWords(rows: Move['rows']): string {
  if (rows === null || rows.copied + rows.total === 0) return '';
  if (rows.total === 0) return `, ${plural(rows.copied, 'row')} so far`;
  const percent = Math.min(100, Math.floor((100 * rows.copied) / rows.total));
  return `, ${thousands(rows.copied)} of ${thousands(rows.total)} rows (${percent} %)`;
}

/** In their order. */
const PARTS: readonly string[] = [
  ...['hold', 'fence', 'older', 'marker', 'sequences', 'snapshots', 'grant', 'commit', 'undo'],
];

/** `the pause: 142 ms (hold 38, fence 14, …)`. */
export function pauseInWords({ numbers }: Move): string[] {
  const { total, ...parts } = numbers;
  const at = (name: string) => PARTS.indexOf(name) + 1 || PARTS.length + 1;
  const listed = Object.entries(parts)
    .sort(([one], [other]) => at(one) - at(other))
    .map(([name, ms]) => `${oneLine(name)} ${Math.round(ms)}`);
  if (total === undefined && listed.length === 0) return [];
  const sum = total ?? Object.values(parts).reduce((all, ms) => all + ms, 0);
  return wrapped(
    `the pause: ${Math.round(sum)} ms${listed.length > 0 ? ` (${listed.join(', ')})` : ''}`,
    WIDTH - 4,
  );
}

/** `compared: 1,140,602 rows in 14 tables, all alike`. */
export function tablesInWords(tables: Move['tables']): string[] {
  if (tables.length === 0) return [];
  const unlike = tables.filter(({ alike }) => !alike).map(({ table }) => oneLine(table));
  const rows = tables.reduce((sum, one) => sum + one.rows, 0);
  const end = unlike.length === 0 ? 'all alike' : `not alike: ${unlike.join(', ')}`;
  return wrapped(`compared: ${plural(rows, 'row')} in ${plural(tables.length, 'table')}, ${end}`, WIDTH - 4);
}

export function nextOf({ module, state, server, move }: Store): [command: string, does: string][] {
  if (state === 'moving')
    return [
      [`npx banyan store show ${module}`, 'how it goes'],
      [`npx banyan store abort ${module}`, 'end it, as before'],
    ];
  if (state === 'broken') return [[`npx banyan store finish ${module}`, 'end the pair; then move again']];
  if (state === 'paired' && move?.state === 'rolled-back')
    return [
      [`npx banyan store move ${module} --to ${move.to}`, 'another try; the copy is there'],
      [`npx banyan store abort ${module}`, 'take the copy away'],
    ];
  if (state === 'paired')
    return [
      [`npx banyan store back ${module}`, 'to the other server'],
      [`npx banyan store verify ${module}`, 'compare every row'],
      [`npx banyan store finish ${module}`, 'end the pair; it stays'],
    ];
  return server === 'shared'
    ? [[`npx banyan store move ${module}`, 'to a server of its own']]
    : [[`npx banyan store move ${module} --to shared`, 'back, by a new copy']];
}
