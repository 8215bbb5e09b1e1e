// What DATA_DIR keeps of the embedded server beside its cluster: the superuser's password and the log. Guarantees: two
// hosts that start at once have one password, which its owner alone can read; the log is started anew at 10 MB.
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

/** Made once; of two hosts at once, the link decides whose it is. */
export function passwordIn(dataDir: string): string {
  const path = join(dataDir, 'postgres-password');
  if (!existsSync(path)) {
    const draft = `${path}.${process.pid}`;
    writeFileSync(draft, randomBytes(24).toString('base64url'), { mode: 0o600 });
    try {
      linkSync(draft, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
  }
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    throw new Error(
      `DATA_DIR ${dataDir} was made by another user of this machine. Run as that user, or use another DATA_DIR.`,
    );
  }
}

/** Started anew at 10 MB; the one before is kept. */
export function logFileIn(dataDir: string): string {
  const folder = join(dataDir, 'logs');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, 'postgres.log');
  if (existsSync(path) && statSync(path).size > 10_000_000) renameSync(path, `${path}.1`);
  return path;
}
