// Field schemas that every contract spells alike: ids, times, money, texts, paging. No business words.
import { plain } from './plain.ts';
import { Type } from './type.ts';

/** A UUIDv7 made by the application (any UUID is accepted on the way in). */
export const id = (description?: string, example?: string) =>
  Type.String({
    format: 'uuid',
    ...(description ? { description } : {}),
    ...(example ? { examples: [example] } : {}),
  });

/** RFC 3339 in UTC. */
export const time = () => Type.String({ format: 'date-time' });

/**
 * An amount in the minor units of the currency that stands beside it (money.ts): cents of EUR, yen of JPY, a thousandth
 * of KWD. At most 10^10, so that a sum stays exact.
 */
export const cents = () =>
  plain(
    Type.Integer({
      minimum: 0,
      maximum: 10_000_000_000,
      description: "In the currency's minor units (ISO 4217): 1250 is EUR 12.50, JPY 1,250, KWD 1.250",
    }),
  );

/** Three letters as ISO 4217 has them. One that it does not have is taken, too: its amounts are shown as they are. */
export const currency = () =>
  plain(Type.String({ pattern: CURRENCY, description: 'ISO 4217, three letters', examples: ['EUR'] }));

// NUL and halves of a surrogate pair have no UTF-8 that PostgreSQL could store; a line has no other controls either,
// so that it fits a mail header. Patterns are compiled with the flag u: whole characters outside the BMP pass.
const PROSE = '^[^\\u0000\\ud800-\\udfff]*$';
const LINE = '^[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';
const VISIBLE = '^(?=.*\\S)[^\\u0000-\\u001f\\u007f\\ud800-\\udfff]*$';
const CURRENCY = '^[A-Z]{3}$';

/** What a client is told of a text that fits none of these. */
export const inWords: ReadonlyMap<string, string> = new Map([
  [PROSE, 'must be whole Unicode characters, without NUL'],
  [LINE, 'must be one line of whole Unicode characters, without control characters'],
  [VISIBLE, 'must be one line with something to see in it, without control characters'],
  [CURRENCY, 'must be three capital letters (ISO 4217)'],
]);

interface Lengths {
  minLength?: number;
  maxLength: number;
  /** What /openapi.json shows; without one, a text that fits. */
  examples?: readonly string[];
  description?: string;
}

/** A text of one line. */
export const line = (limits: Lengths & { format?: 'email' }) => Type.String({ ...limits, pattern: LINE });

/** A text of one line that is not blank. */
export const visible = (limits: Lengths) => Type.String({ ...limits, pattern: VISIBLE });

/** A text of many lines. */
export const prose = (limits: Lengths) => Type.String({ ...limits, pattern: PROSE });

export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** The query of every list. `limit` 1 to 100, default 20; `cursor` is the `nextCursor` of the page before. */
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, examples: ['019b76da-a800-7000-8000-01a6aa00d43e'] }),
  ),
};
