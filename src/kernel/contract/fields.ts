// Field schemas that every contract spells alike: ids, times, money, paging. No business words.
import { Type } from 'typebox';

/** A UUIDv7 made by the application (any UUID is accepted on the way in). */
export const id = (description?: string) =>
  Type.String({ format: 'uuid', ...(description ? { description } : {}) });

/** RFC 3339 in UTC. */
export const time = () => Type.String({ format: 'date-time' });

/** Integer cents; the currency stands beside it. At most 100 million, so that a sum stays exact. */
export const cents = () => Type.Integer({ minimum: 0, maximum: 10_000_000_000 });

/** ISO 4217. */
export const currency = () => Type.String({ pattern: '^[A-Z]{3}$' });

/** A text of one line: no control characters, so that it fits a mail header and PostgreSQL takes it (no NUL). */
export const line = (limits: { minLength?: number; maxLength: number; format?: 'email' }) =>
  Type.String({ ...limits, pattern: '^[^\\u0000-\\u001f\\u007f]*$' });

/** A text of many lines: anything but NUL, which PostgreSQL cannot store. */
export const prose = (limits: { minLength?: number; maxLength: number }) =>
  Type.String({ ...limits, pattern: '^[^\\u0000]*$' });

export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** The query of every list. `limit` 1 to 100, default 20; `cursor` is the `nextCursor` of the page before. */
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
};
