// What holds a saga, in one sentence for the page and the command line alike: an event of its key that a module could not handle,
// or cannot handle yet. Pure: the events are those of GET /admin/events/unhandled, and come in its order.

/** As `HeldKey` of events/operations/schemas.ts, as far as it is shown. */
export interface Unhandled {
  /** The module that did not handle it. */
  readonly module: string;
  readonly key: string;
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly reason: string | null;
  readonly since: string;
  /** Later events of the key that wait for it. */
  readonly behind: number;
}

interface Words {
  /** What the module does with the event. */
  readonly does: string;
  /** What ends it. */
  readonly ends: string;
}

/** Of the states in which an event holds up what waits for it. One that was dropped holds nothing. */
const WORDS: Readonly<Record<string, Words>> = {
  dead: { does: 'could not handle', ends: 'Mend and redrive it, or drop it.' },
  'unknown-version': {
    does: 'does not know this version of',
    ends: 'It goes on when the module is upgraded.',
  },
  early: {
    does: 'waits for what comes before',
    ends: 'It goes on when that comes, or when somebody decides.',
  },
  waiting: { does: 'failed and tries again:', ends: 'It goes on by itself when that works.' },
};

/** A reason may be a page long. */
const MOST = 300;

/** The one of a saga's events that holds it. What goes on by itself holds only one that is past its time. */
export function holderOf(state: string, events: readonly Unhandled[]): Unhandled | undefined {
  if (state === 'finished') return undefined;
  return events.find((one) => one.state in WORDS && (state === 'stuck' || isForPeople(one)));
}

/** Nothing else ends it: whatever is asked again comes behind it. */
export const isForPeople = ({ state }: Pick<Unhandled, 'state'>): boolean =>
  state === 'dead' || state === 'unknown-version';

/** `Held by depots, which could not handle parcels.parcel-sent.v1: no such depot` */
export function heldInWords({ module, type, state, reason }: Unhandled): string {
  const why = reason === null ? '' : `: ${reason.length > MOST ? `${reason.slice(0, MOST)}…` : reason}`;
  return `Held by ${module}, which ${WORDS[state]!.does} ${type}${why}`;
}

/** What ends it, and whether a retry can help before: what a coordinator asks comes by no event. */
export function adviceOf(style: string, one: Unhandled): string {
  const { ends } = WORDS[one.state]!;
  if (!isForPeople(one)) return ends;
  return style === 'orchestration'
    ? `${ends} Until then a retry may not help.`
    : `${ends} Until then a retry cannot help: what is asked again comes behind it.`;
}
