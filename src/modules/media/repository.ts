// The rows of media: one per picture, pending while its bytes are written, then final and never changed.
import type { Sql, Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/media/client/client.ts';

export interface Picture {
  readonly id: string;
  /** Null: a seed, or an administrator's token. */
  readonly userId: string | null;
  readonly contentType: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  /** SHA-256 of the original, base64url. */
  readonly sha256: string;
  readonly thumbBytes: number;
  readonly thumbSha256: string;
  /** False: stored before metadata were taken off originals. */
  readonly stripped: boolean;
}

/** The most of one user's, pictures that are on their way included. */
export interface Quota {
  readonly pictures: number;
  readonly bytes: number;
}

/** No upload takes that long: requests end after seconds. */
const HOUR_MS = 60 * 60 * 1000;

export class MediaRepository {
  readonly #store: Store<PrismaClient>;

  constructor(store: Store<PrismaClient>) {
    this.#store = store;
  }

  /**
   * A row that nobody sees yet. One that is stored already stays as it is (seeds alone have fixed ids).
   * False when it would be over the quota of its user: uploads of one user are counted one after the other, on
   * whatever hosts they meet, for the lock is the user's and ends with the transaction.
   */
  begin(picture: Picture, quota: Quota | undefined): Promise<boolean> {
    const { id, userId, bytes, sha256 } = picture;
    return this.#store.transaction(async ({ sql, prisma }) => {
      if (userId !== null && quota !== undefined) {
        await sql.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`quota ${userId}`]);
        const kept = await prisma.picture.aggregate({
          where: { userId, status: { not: 'given-up' } },
          _count: true,
          _sum: { bytes: true },
        });
        if (kept._count >= quota.pictures || (kept._sum.bytes ?? 0) + bytes > quota.bytes) return false;
      }
      const createdAt = new Date();
      const again = { status: 'pending', bytes, sha256, stripped: true, createdAt };
      const { count } = await prisma.picture.updateMany({
        where: { id, status: { not: 'stored' } },
        data: again,
      });
      const row = { ...picture, ...again };
      if (count === 0) await prisma.picture.createMany({ data: [row], skipDuplicates: true });
      return true;
    });
  }

  async noteStripped(id: string, bytes: number, sha256: string): Promise<void> {
    await this.#store.sql.query(
      'UPDATE pictures SET stripped = true, bytes = $2, sha256 = $3 WHERE id = $1 AND NOT stripped',
      [id, bytes, sha256],
    );
  }

  /** False when it was stored before. Throws when it was given up meanwhile: its bytes may be gone. */
  async finish(sql: Sql, id: string): Promise<boolean> {
    const { rowCount } = await sql.query(
      `UPDATE pictures SET status = 'stored' WHERE id = $1 AND status = 'pending'`,
      [id],
    );
    if (rowCount === 1) return true;
    const { rows } = await sql.query(`SELECT 1 FROM pictures WHERE id = $1 AND status = 'stored'`, [id]);
    if (rows.length === 0) throw new Error(`picture ${id} was given up before its bytes were written`);
    return false;
  }

  async find(id: string): Promise<Picture | null> {
    return this.#store.prisma.picture.findUnique({ where: { id, status: 'stored' } });
  }

  /** Uploads that were begun an hour ago and are not stored. Oldest first. */
  async unfinished(limit: number): Promise<string[]> {
    const rows = await this.#store.prisma.picture.findMany({
      where: { status: { in: ['pending', 'given-up'] }, createdAt: { lt: new Date(Date.now() - HOUR_MS) } },
      orderBy: { createdAt: 'asc' },
      take: limit,
      select: { id: true },
    });
    return rows.map((row) => row.id);
  }

  /** From here on it can no longer be stored, so its bytes may go. False when it is stored. */
  async giveUp(id: string): Promise<boolean> {
    const { count } = await this.#store.prisma.picture.updateMany({
      where: { id, status: { not: 'stored' } },
      data: { status: 'given-up' },
    });
    return count > 0;
  }

  async forget(id: string): Promise<void> {
    await this.#store.prisma.picture.deleteMany({ where: { id, status: 'given-up' } });
  }

  /** Those of `ids` that there are. */
  async known(ids: readonly string[]): Promise<Set<string>> {
    // Asked at every start, where Prisma's first query would cost 80 ms.
    const { rows } = await this.#store.sql.query<{ id: string }>(
      `SELECT id FROM pictures WHERE id = ANY($1) AND status = 'stored'`,
      [ids],
    );
    return new Set(rows.map((row) => row.id));
  }
}
