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

export const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

/** The query of every list. `limit` 1 to 100, default 20; `cursor` is the `nextCursor` of the page before. */
export const paging = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
};
