// What was found of an event, put together for a person: the outbox knows most of one that waits, the record
// of one that was sent, a delivery of one that the log has forgotten.

import type { DeadLetterDetails } from './dead-letters.ts';
import type { Found } from './find.ts';
import type { WholeEvent } from './schemas.ts';
import { readable } from './tail.ts';

export function wholeEvent(id: string, found: Found): WholeEvent {
  const { owner, waiting, sentAt, record, deliveries, byHand } = found;
  const kept = deliveries.find(({ headers }) => headers !== null);
  const headers = record?.headers ?? kept?.headers ?? {};
  const first = deliveries[0];
  return {
    id,
    topic: owner ? `${owner}.events` : (first?.topic ?? record?.topic ?? ''),
    type: waiting?.type ?? headers.ce_type ?? first?.type ?? null,
    key: found.key ?? '',
    sequence: found.sequence ?? null,
    time: waiting?.createdAt ?? timeOf(headers.ce_time),
    correlationId: headers.ce_correlationid ?? null,
    causationId: headers.ce_causationid ?? null,
    traceparent: headers.traceparent ?? null,
    byHand,
    ...(waiting ? { data: waiting.data, text: null } : readable(record?.value ?? kept?.value ?? null)),
    place: waiting ? 'outbox' : sentAt || record ? 'log' : 'unknown',
    sentAt: sentAt ?? null,
    log: record
      ? {
          partition: record.partition,
          offset: record.offset,
          at: new Date(record.timestamp).toISOString(),
        }
      : null,
    deliveries: deliveries.map(withoutBytes),
  };
}

function withoutBytes({ headers: _headers, value: _value, ...rest }: DeadLetterDetails) {
  return { ...rest, history: [...rest.history], audit: [...rest.audit] };
}

/** A header is whatever somebody sent. */
function timeOf(text: string | undefined): string | null {
  const ms = Date.parse(text ?? '');
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}
