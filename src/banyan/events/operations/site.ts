// The modules whose stores this host has, found by name; and what a host says that does not have the one asked for.

import type { Contract } from '../../contract/contract.ts';
import { type FieldError, libraryProblem, type Problem, problem } from '../../contract/problem.ts';
import type { EventLog } from '../../log/port.ts';
import type { ModuleEvents } from '../module-events.ts';
import type { EventStats } from '../stats.ts';
import { type AskedLog, askedLog } from './answering.ts';
import { events } from './contract.ts';

export interface OperatedModule {
  readonly parts: ModuleEvents;
  stats(): Promise<EventStats>;
}

export interface SiteOptions {
  /** Of every module of the product. */
  readonly contracts: readonly Contract[];
  /** Those that this host runs. */
  readonly modules: readonly OperatedModule[];
  readonly eventLog: EventLog;
  /** Aborted when the host closes: whoever waits for events gets an answer. */
  readonly closing: AbortSignal;
  /** Has other hosts know that the listeners of that module are given past events now. Absent: none are asked. */
  readonly announce?: (module: string) => Promise<void>;
}

export class Site {
  readonly eventLog: AskedLog;
  readonly closing: AbortSignal;
  readonly contracts: readonly Contract[];
  readonly announce: (module: string) => Promise<void>;
  readonly #modules: readonly OperatedModule[];

  constructor({ contracts, modules, eventLog, closing, announce = async () => {} }: SiteOptions) {
    this.announce = announce;
    this.contracts = contracts;
    this.eventLog = askedLog(eventLog);
    this.closing = closing;
    this.#modules = modules.toSorted((a, b) =>
      a.parts.contract.module.localeCompare(b.parts.contract.module),
    );
  }

  /** All that this host has; one that has none must not answer as if there were nothing. */
  all(): readonly OperatedModule[] {
    if (this.#modules.length === 0) throw elsewhere('any module');
    return this.#modules;
  }

  /** The one named, or all. */
  some(name: string | undefined): readonly ModuleEvents[] {
    return name === undefined ? this.all().map(({ parts }) => parts) : [this.one(name)];
  }

  one(name: string): ModuleEvents {
    const found = this.#modules.find(({ parts }) => parts.contract.module === name);
    if (found) return found.parts;
    if (this.contracts.some(({ module }) => module === name)) throw elsewhere(name);
    throw problem(events, 'module-unknown', { detail: `There is no module "${name}". ${this.#known()}` });
  }

  /** The topics with at least one event. */
  topics(): string[] {
    return this.contracts
      .filter((contract) => Object.keys(contract.events).length > 0)
      .map(({ module }) => `${module}.events`);
  }

  /** Throws the 404 problem for a topic that nobody publishes. */
  topic(name: string): string {
    if (this.topics().includes(name)) return name;
    throw problem(events, 'topic-unknown', {
      detail: `Nobody publishes on "${name}". The topics are ${this.topics().join(', ')}.`,
    });
  }

  #known(): string {
    return `The modules are ${this.contracts.map(({ module }) => module).join(', ')}.`;
  }
}

function elsewhere(what: string): Problem {
  return problem(events, 'store-elsewhere', {
    detail: `This host does not run the code of ${what} and has no access to its store. Ask a monolith (MODULES=all).`,
  });
}

/** The 422 problem of the doors. */
export function invalid(...errors: FieldError[]): Problem {
  return libraryProblem('invalid', {
    detail: 'See errors: each entry names the field and what is wrong with it.',
    errors,
  });
}

/** A span of the past: throws the 422 problem when it lies in the future, or ends before it begins. */
export function span(given: { from: string; until?: string }, now = Date.now()): { from: Date; until: Date } {
  const from = new Date(given.from);
  const until = given.until === undefined ? new Date(now) : new Date(given.until);
  const wrong: FieldError[] = [];
  if (from.getTime() > now) wrong.push({ path: '/from', message: 'is in the future' });
  if (until.getTime() > now) wrong.push({ path: '/until', message: 'is in the future' });
  if (wrong.length === 0 && from >= until) wrong.push({ path: '/until', message: 'must be after from' });
  if (wrong.length > 0) throw invalid(...wrong);
  return { from, until };
}
