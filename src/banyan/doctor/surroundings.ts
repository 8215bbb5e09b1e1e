// What hosts stand on beside databases and logs, as each says of itself: where its files are, which secrets it made by itself, what
// of its telemetry arrives, and whom it tells. Pure.
import type { LateNotices } from '../ladder/notices/notice-rows.ts';
import type { About } from './about.ts';
import { error, type Finding, ok, orWell, warning } from './finding.ts';

/** A host that said what it is. */
export interface HostSaid {
  readonly id: string;
  readonly role: 'monolith' | 'gateway' | 'service';
  readonly about: About;
}

export function filesOf({ id, role, about }: HostSaid): Finding[] {
  // What a service or a gateway keeps there nobody misses: compose gives it a folder in memory.
  if (role !== 'monolith') return [];
  if (!about.temporary) return [ok('data-dir', id, 'DATA_DIR is a folder that stays')];
  const what = about.keeps ? 'the database, secrets and mails' : 'secrets that were not set, logs and mails';
  const found = `DATA_DIR is in a folder that is swept, and ${what} are in it`;
  const remedy =
    'Stop it, move the folder, and start it with DATA_DIR set to the new place: docs/operations.md#starting-over';
  return [
    about.keeps && about.production
      ? error('data-dir', id, found, remedy)
      : warning('data-dir', id, found, remedy),
  ];
}

/** Made by itself is right on one machine. In production others have to have them, and a copy has to be elsewhere. */
export function secretsOf({ id, role, about }: HostSaid): Finding[] {
  if (role === 'service') return [];
  const legacy = about.legacy
    ? [
        warning(
          'secret',
          id,
          'INTERNAL_KEY_LEGACY is set: whoever has INTERNAL_KEY speaks as any host',
          'Take it away once every host is of this version: docs/operations.md#upgrades',
        ),
      ]
    : [];
  const made = about.production ? about.madeHere : [];
  const own = made.map((variable) =>
    warning(
      'secret',
      id,
      `${variable} is not set in production; it is the one that this host made in its DATA_DIR`,
      variable === 'ROOT_KEY'
        ? 'Set it to what root-key in DATA_DIR says, on every monolith, and keep a copy: docs/operations.md#the-root-key-and-the-ring'
        : 'Set it, on every monolith and gateway: docs/operations.md#operators',
    ),
  );
  return orWell([...legacy, ...own], 'secret', id, 'its secrets are where they should be');
}

export function telemetryOf({ id, about: { otlp } }: HostSaid): Finding[] {
  if (!otlp) return [];
  const { down, dropped } = otlp;
  const lost =
    dropped > 0 ? `; ${dropped.toLocaleString('en-US')} spans and lines were dropped since its start` : '';
  if (down.length > 0)
    return [
      warning(
        'telemetry',
        id,
        `${down.join(', ')} cannot be sent by OTLP${lost}`,
        'Look at the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT: docs/observability.md#by-otlp',
      ),
    ];
  return [ok('telemetry', id, `what it tells by OTLP is taken${lost}`)];
}

/** @param told whether anybody is to be told (NOTIFY_URL). */
export function noticesOf(hosts: readonly HostSaid[], waiting: LateNotices, told: boolean): Finding[] {
  const remedy = 'Ask it by curl, or correct NOTIFY_URL: docs/operations.md#the-public-port-and-its-clients';
  const failed = hosts
    .filter(({ about }) => about.notices !== null)
    .map(({ id, about }) =>
      warning('notices', id, `the last notice to NOTIFY_URL did not arrive (${about.notices})`, remedy),
    );
  const late =
    waiting.count > 0
      ? [
          warning(
            'notices',
            'NOTIFY_URL',
            `${waiting.count} notice${waiting.count === 1 ? ' waits' : 's wait'} that did not arrive, for up to ${Math.round(waiting.oldestSeconds)} s`,
            remedy,
          ),
        ]
      : [];
  const well = told ? 'every notice has arrived' : 'is not set: nobody is told, and nothing waits';
  return orWell([...failed, ...late], 'notices', 'NOTIFY_URL', well);
}
