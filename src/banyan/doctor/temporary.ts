// Whether a folder is one that systems empty, at a start or by its age: what lies there is not kept.
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { sep } from 'node:path';

const SWEPT = ['/tmp', '/var/tmp', '/dev/shm', '/run'];

export function isTemporary(folder: string): boolean {
  const path = real(folder);
  return [tmpdir(), ...SWEPT].map(real).some((one) => path === one || path.startsWith(one + sep));
}

function real(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
