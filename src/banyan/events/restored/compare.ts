// The log held against all stores, before anything is published or handled: what a monolith does at its start where one of
// them is not where it was (home.ts). Afterwards nothing of the log is missing in an inbox, what lost its transaction has no further effect,
// and no number is given twice. Whoever runs meanwhile is not harmed: what it takes is found taken.
// It must not know why the stores and the log are apart.
import type { EventLog } from '../../log/port.ts';
import { type ModuleEvents, nameOf } from '../module-events.ts';
import type { TopicReport } from './report.ts';
import { TopicCheck } from './topic-check.ts';

/** Before the last event that the owner's store knows of as sent: what inboxes lack may be as old as they were behind. */
const LOOK_BACK_MS = 24 * 3_600_000;

export async function compare(
  modules: readonly ModuleEvents[],
  eventLog: Pick<EventLog, 'read'>,
): Promise<TopicReport[]> {
  const reports: TopicReport[] = [];
  for (const owner of modules) {
    if (Object.keys(owner.contract.events).length === 0) continue;
    const last = await lastSent(owner);
    const from = last && new Date(last.getTime() - LOOK_BACK_MS);
    reports.push(await new TopicCheck(owner, modules).run(eventLog, from));
  }
  return reports;
}

async function lastSent(owner: ModuleEvents): Promise<Date | undefined> {
  const { rows } = await owner.store.pool.query<{ at: Date | null }>(
    `SELECT max(sent_at) AS at FROM ${nameOf(owner)}.event_sent`,
  );
  return rows[0]!.at ?? undefined;
}
