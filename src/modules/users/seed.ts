// The first two users of an empty store, with random passwords that only DATA_DIR/seeds.json knows.
// The file is on disk before the rows are committed, so there is never a user whose password nobody has;
// and it is written with the rows alone, so a file whose passwords work is never replaced.
import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { v7 } from 'uuid';
import type { Store } from '#banyan';
import type { PrismaClient } from '../../../prisma/users/client/client.ts';
import { factsOf } from './account.ts';
import { users } from './contract.ts';
import { hashPassword } from './passwords.ts';
import type { UserRepository } from './repository.ts';

const wanted = [
  { email: 'admin@banyan.example', name: 'Ada Admin', role: 'admin' },
  { email: 'demo@banyan.example', name: 'Demi Demo', role: 'customer' },
];

export interface SeedParts {
  readonly store: Store<PrismaClient>;
  readonly repository: UserRepository;
  readonly dataDir: string;
  readonly log: Logger;
}

export async function seedUsers({ store, repository, dataDir, log }: SeedParts): Promise<void> {
  // Asked at every start, where Prisma's first query would cost 80 ms.
  if ((await store.sql.query('SELECT FROM users LIMIT 1')).rowCount !== 0) return;
  const accounts = await Promise.all(
    wanted.map(async (one) => {
      const password = randomBytes(12).toString('base64url');
      return { ...one, password, passwordHash: await hashPassword(password) };
    }),
  );
  const file = join(dataDir, 'seeds.json');
  try {
    await store.transaction(async (tx) => {
      if (!(await repository.isEmpty(tx))) return;
      for (const { email, name, role, passwordHash } of accounts) {
        const row = await repository.insert(tx, {
          id: v7(),
          email,
          name,
          role,
          passwordHash,
          createdAt: new Date(),
        });
        // The boot lock keeps others out; where it does not, the unique index does, and nothing of ours stays.
        if (!row) throw new Error(`${email} appeared meanwhile: another host makes the first users`);
        await tx.publish(users.events['user-registered'], factsOf(row));
      }
      await writeSecret(file, {
        users: accounts.map(({ email, password, role }) => ({ email, password, role })),
      });
    });
    log.info({ file }, 'made the first users; their passwords are in this file');
  } catch (error) {
    // A host may run without a disk of its own: it works without these users, and one with a disk makes them.
    if (!(error instanceof SecretNotWritten)) throw error;
    log.warn(
      { err: error, file },
      'no first users: their passwords cannot be written. Make DATA_DIR writable and start again',
    );
  }
}

/** Whole or not at all, for the owner's eyes alone, and on the disk when this returns. */
async function writeSecret(path: string, content: unknown): Promise<void> {
  const draft = `${path}.${process.pid}`;
  try {
    await mkdir(join(path, '..'), { recursive: true, mode: 0o700 });
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true });
    throw new SecretNotWritten(path, { cause });
  }
}

class SecretNotWritten extends Error {
  constructor(path: string, options: ErrorOptions) {
    super(`${path} cannot be written`, options);
    this.name = 'SecretNotWritten';
  }
}
