// What is refused where it is published, because nobody could put it right later: more values than the door takes that
// an operator sends it in again by.
import { describe, expect, it } from 'vitest';
import { closed, defineContract, event } from '../contract/contract.ts';
import { Type } from '../contract/type.ts';
import { countValues, hasTooManyValues } from '../contract/value-count.ts';
import { bodyLimitOf } from '../http/limits.ts';
import { MAX_EVENT_VALUES } from './cloudevents.ts';
import { events } from './operations/contract.ts';
import { EventRefused, eventArguments } from './publisher.ts';

const { sold } = defineContract('box', {
  summary: 'Publishes',
  operations: {},
  events: {
    sold: event({
      summary: 'Much was sold',
      version: 1,
      key: 'orderId',
      data: closed({ orderId: Type.String(), n: Type.Array(Type.Integer()), text: Type.String() }),
    }),
  },
}).events;

/** The object, three members, and the items of one. */
const data = (values: number) => ({
  orderId: 'a',
  n: Array.from({ length: values - 3 }, () => 1),
  text: 'no value: ,[{"\\',
});

describe('an event of many values', () => {
  it('is published up to the limit', () => {
    const [, , , , text] = eventArguments(sold, data(MAX_EVENT_VALUES));
    expect(countValues(Buffer.from(text))).toBe(MAX_EVENT_VALUES);
  });

  it('is refused beyond it, by name, with what it has and what is allowed', () => {
    const publish = () => eventArguments(sold, data(MAX_EVENT_VALUES + 7));
    expect(publish).toThrow(EventRefused);
    expect(publish).toThrow(/^box\.sold\.v1 has 9997 values .*the limit is 9990/);
  });

  it('is not taken for one that only has long texts', () => {
    const text = ',[{'.repeat(30_000);
    expect(eventArguments(sold, { ...data(10), text })[4]).toContain(text);
  });

  it('comes back by the doors of the operator, with all that is said beside it', () => {
    const most = data(MAX_EVENT_VALUES);
    const { redrive, publish } = events.operations;
    const said = (spec: typeof redrive | typeof publish) =>
      Object.fromEntries(Object.keys(spec.input.properties).map((name) => [name, 'said']));
    for (const [spec, body] of [
      [redrive, { ...said(redrive), data: most }],
      [publish, { ...said(publish), message: { type: 'box.sold.v1', data: most } }],
    ] as const) {
      const text = Buffer.from(JSON.stringify(body));
      expect(hasTooManyValues(text)).toBe(false);
      expect(text.length).toBeLessThan(bodyLimitOf(spec));
    }
  });
});
