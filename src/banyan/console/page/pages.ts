// The views of the console: where each is, what leads to it, and the file that has it, which is loaded when somebody goes
// there. What a system has not is not shown.
import type { ComponentType } from './kit/html.ts';
import type { System } from './kit/system.ts';

export interface PageModule {
  readonly default: ComponentType<{ params: Readonly<Record<string, string>> }>;
  /** What stands in the heading and in the tab's title. */
  readonly title: string | ((params: Readonly<Record<string, string>>) => string);
}

export interface PageEntry {
  /** Below the console's prefix; `:name` is any one part. */
  readonly path: string;
  /** What the link to it says; absent: nothing in the menu leads there. */
  readonly nav?: string;
  /** The path of the view in the menu that it belongs to. Absent: its own. */
  readonly under?: string;
  readonly shown: (system: System) => boolean;
  readonly load: () => Promise<PageModule>;
}

const always = () => true;

/** In the order of the menu. */
export const pages: readonly PageEntry[] = [
  { path: '/', nav: 'Overview', shown: always, load: () => import('./overview/page.ts') },
  { path: '/modules/:name', under: '/', shown: always, load: () => import('./module/page.ts') },
  { path: '/events', nav: 'Events', shown: ({ has }) => has.events, load: () => import('./events/page.ts') },
  {
    path: '/dead',
    nav: 'Dead letters',
    shown: ({ has }) => has.letters,
    load: () => import('./dead/page.ts'),
  },
  {
    path: '/dead/:id',
    under: '/dead',
    shown: ({ has }) => has.letters,
    load: () => import('./dead/letter.ts'),
  },
  { path: '/sagas', nav: 'Sagas', shown: ({ has }) => has.sagas, load: () => import('./sagas/page.ts') },
  {
    path: '/sagas/:id',
    under: '/sagas',
    shown: ({ has }) => has.sagas,
    load: () => import('./sagas/saga.ts'),
  },
  { path: '/traces', nav: 'Traces', shown: ({ has }) => has.traces, load: () => import('./traces/page.ts') },
  {
    path: '/traces/:id',
    under: '/traces',
    shown: ({ has }) => has.traces,
    load: () => import('./traces/trace.ts'),
  },
  { path: '/moves', nav: 'Moves', shown: ({ has }) => has.stores, load: () => import('./moves/page.ts') },
  {
    path: '/compare',
    nav: 'Compare',
    shown: ({ has }) => has.compare,
    load: () => import('./compare/page.ts'),
  },
  {
    path: '/compare/:id',
    under: '/compare',
    shown: ({ has }) => has.compare,
    load: () => import('./compare/report.ts'),
  },
  { path: '/audit', nav: 'Audit', shown: ({ has }) => has.audit, load: () => import('./audit/page.ts') },
];
