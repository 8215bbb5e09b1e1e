// The Unix socket of a server: where it stands, and what killed servers left of theirs. Guarantees: nothing is removed
// that a running server listens on; where the path is too long for a socket there is none.
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { isPostmaster, linesOf } from './pid-file.ts';

const SOCKET = /^\.s\.PGSQL\.\d+$/;
/** Bytes that the shortest of the systems that have sockets allows a socket's path. */
const LONGEST_SOCKET_PATH = 103;

/** With the data, where the server's user alone gets in. As a list of one, which a comma would else part. */
export function socketFolder(cluster: string): string {
  const tooLong = Buffer.byteLength(join(cluster, '.s.PGSQL.65535')) > LONGEST_SOCKET_PATH;
  return process.platform === 'win32' || tooLong ? '' : `"${cluster.replaceAll('"', '""')}"`;
}

/** Sockets of killed servers: each had a port of its own, so the next one would not clear them away. */
export function forgetSockets(cluster: string): void {
  // Somebody removed the folder: the server itself says so.
  if (!existsSync(cluster)) return;
  for (const name of readdirSync(cluster).filter((one) => SOCKET.test(one))) {
    const socket = join(cluster, name);
    if (isPostmaster(Number(linesOf(`${socket}.lock`)?.[0]), cluster)) continue;
    for (const path of [socket, `${socket}.lock`]) rmSync(path, { force: true });
  }
}
