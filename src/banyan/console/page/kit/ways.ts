// The ways of a module: what each is called, what it asks the host for, and the command that does the same. Pure.
import type { PictureModule } from '../../shared/picture-shape.ts';
import { quoted } from './command.ts';

export type Way = 'share' | 'shadow' | 'ladder' | 'processes' | 'store';

export interface Values {
  readonly percent: string;
  readonly guard: boolean;
  readonly reads: string;
  readonly writes: string;
  readonly steps: string;
  readonly minSeconds: string;
  readonly minRequests: string;
  readonly confirm: boolean;
  readonly instances: string;
  readonly server: string;
  readonly dryRun: boolean;
}

export const initial: Values = {
  percent: '10',
  guard: false,
  reads: '100',
  writes: '5',
  steps: 'shadow,1,10,50,100',
  minSeconds: '120',
  minRequests: '300',
  confirm: false,
  instances: '1',
  server: 'own',
  dryRun: false,
};

/** What a dialog has to know of a module. */
export type Placed = Pick<PictureModule, 'placement' | 'percent' | 'desired' | 'ladder'>;

/**
 * With which each dialog begins: a module of which nothing can be tried has no shadow on its ladder.
 * @param desired processes of its own.
 */
export const beginWith = (shadowable: boolean, desired = 1): Values => ({
  ...initial,
  steps: shadowable ? initial.steps : '1,10,50,100',
  instances: String(Math.max(1, desired)),
});

/** Whether a monolith starts and ends its processes; those that are started elsewhere are counted there. */
export const isScalable = ({ placement, desired }: Pick<Placed, 'placement' | 'desired'>): boolean =>
  placement !== 'in-process' && desired > 0;

export const ways: readonly { readonly id: Way; readonly name: string; readonly does: string }[] = [
  { id: 'share', name: 'A share', does: 'so many percent of its requests go to its service' },
  { id: 'shadow', name: 'Shadow', does: 'its service is tried with what the monolith serves, and compared' },
  { id: 'ladder', name: 'Ladder', does: 'up by steps, each on evidence; it comes down by itself' },
  { id: 'processes', name: 'Processes', does: 'more or fewer of them; its requests go to all' },
  { id: 'store', name: 'Own store', does: 'its tables move to another server while it runs' },
];

export interface Asked {
  /** Absent: no one command does the same. */
  readonly command?: string;
  readonly wish: Readonly<Record<string, unknown>>;
  /** Absent: it is a transfer. */
  readonly path?: string;
  readonly needs: 'place' | 'store';
}

export function wayOf(way: Way, name: string, values: Values, placed?: Placed): Asked {
  switch (way) {
    case 'share':
      return {
        command: `npx banyan extract ${name} -p ${values.percent}${values.guard ? ' --guard' : ''}`,
        wish: { to: 'service', percent: Number(values.percent), ...(values.guard && { guard: true }) },
        needs: 'place',
      };
    case 'shadow':
      return {
        command: `npx banyan place ${name} shadow -m ${values.reads} --mirror-writes ${values.writes}`,
        wish: { to: 'shadow', mirror: { reads: Number(values.reads), writes: Number(values.writes) } },
        needs: 'place',
      };
    case 'ladder':
      return ladderOf(name, values);
    case 'processes': {
      const command = placed && scaleCommand(name, values.instances, placed);
      return {
        ...(command !== undefined && { command }),
        wish: { instances: Number(values.instances) },
        path: `/admin/services/${encodeURIComponent(name)}`,
        needs: 'place',
      };
    }
    case 'store':
      return {
        command: `npx banyan store move ${name} --to ${quoted(values.server)}${values.dryRun ? ' --dry-run' : ''}`,
        wish: { server: values.server, ...(values.dryRun && { dryRun: true }) },
        path: `/admin/stores/${encodeURIComponent(name)}`,
        needs: 'store',
      };
  }
}

/** The command that extracts says a placement too: it must be the one that is there, and no ladder on its way to another. */
function scaleCommand(name: string, instances: string, { placement, percent, ladder }: Placed) {
  if (placement === 'shadow' || ladder?.state === 'running' || ladder?.state === 'paused') return undefined;
  const share = placement === 'canary' ? ` -p ${percent}` : '';
  return `npx banyan extract ${name} --instances ${instances}${share}`;
}

function ladderOf(name: string, { steps, minSeconds, minRequests, confirm }: Values): Asked {
  const ladder = {
    steps: stepsOf(steps),
    minSeconds: Number(minSeconds),
    minRequests: Number(minRequests),
    ...(confirm && { confirm }),
  };
  const more = [
    ...(steps === initial.steps ? [] : [`--steps ${quoted(stepsOf(steps).join(','))}`]),
    ...(minSeconds === initial.minSeconds ? [] : [`--min-seconds ${minSeconds}`]),
    ...(minRequests === initial.minRequests ? [] : [`--min-requests ${minRequests}`]),
    ...(confirm ? ['--confirm'] : []),
  ];
  return {
    command: ['npx banyan ladder', name, ...more].join(' '),
    wish: { to: 'ladder', ladder },
    needs: 'place',
  };
}

const stepsOf = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);

export type Complaints = Readonly<Partial<Record<keyof Values, string>>>;

/** What cannot be asked for, by the field that it stands in; none: all can. */
export function complaintsOf(way: Way, values: Values, shadowable = true): Complaints {
  const found: Partial<Record<keyof Values, string>> = {};
  const whole = (
    field: 'percent' | 'reads' | 'writes' | 'minSeconds' | 'minRequests' | 'instances',
    least: number,
    most: number,
    says: string,
  ) => {
    const text = values[field].trim();
    if (!/^\d+$/.test(text) || Number(text) < least || Number(text) > most) found[field] = says;
  };
  switch (way) {
    case 'share':
      whole(
        'percent',
        1,
        99,
        'A share is a whole number from 1 to 99. For all of the requests use Extract, for none Restore.',
      );
      break;
    case 'shadow':
      whole('reads', 0, 100, 'A whole number from 0 to 100.');
      whole('writes', 0, 100, 'A whole number from 0 to 100.');
      break;
    case 'ladder': {
      const steps = stepsComplaint(stepsOf(values.steps), shadowable);
      if (steps !== undefined) found.steps = steps;
      whole('minSeconds', 1, 604_800, 'A whole number of seconds from 1 to 604800 (a week).');
      whole('minRequests', 1, 1_000_000_000, 'A whole number of requests from 1 on.');
      break;
    }
    case 'processes':
      whole('instances', 1, 16, 'A whole number from 1 to 16. To stop all of them use Restore.');
      break;
    case 'store':
      if (!/^[a-z][a-z0-9-]*$/.test(values.server))
        found.server = 'A server is own, shared, or a name in small letters.';
  }
  return found;
}

/** As the host judges them (ladder/judge/rungs.ts). */
function stepsComplaint(steps: readonly string[], shadowable: boolean): string | undefined {
  if (steps.length === 0)
    return `There are no steps. Give rising percents, such as ${shadowable ? initial.steps : '1,10,50,100'}.`;
  let before = -1;
  for (const [at, step] of steps.entries()) {
    if (step === 'shadow' && !shadowable)
      return 'Nothing of this module can be tried in shadow. Begin with a small share, such as 1.';
    const percent = step === 'shadow' ? 0 : /^[1-9]\d{0,2}$/.test(step) ? Number(step) : Number.NaN;
    if (!(percent <= 100))
      return `“${step}” is no step: a step is a whole number from 1 to 100, or shadow as the first.`;
    if (percent <= before) return `The steps do not rise: ${step} comes after ${steps[at - 1]}.`;
    before = percent;
  }
  return steps[0] === '100'
    ? 'Before 100 a step is needed at which both sides can be compared, such as 10,100.'
    : undefined;
}
