// Room for uploads: the bytes of a file stand in memory from the first one until the answer, so a port takes only so
// many at once. Asked before the body is read; beyond it the client is told at once to come again. A body without a
// length counts as the largest that its operation takes. Booked is what a client announces, not what it sends: so one
// client has at most a quarter, and thirteen connections that say 10 MB and send nothing stop nobody else.
// It knows nothing of what is uploaded.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperationSpec } from '../contract/contract.ts';
import { libraryProblem } from '../contract/problem.ts';
import { clientOf } from '../limits/address.ts';
import { Shed } from './admission.ts';
import { bodyLimitOf } from './limits.ts';

/** Twelve files of 10 MiB, which is large for a photograph, and many of the usual ones. */
export const UPLOAD_ROOM_BYTES = 128 * 1024 * 1024;

declare module 'fastify' {
  interface FastifyInstance {
    readonly uploadRoom: UploadRoom;
  }
}

export class UploadRoom {
  readonly #bytes: number;
  #held = 0;
  readonly #heldBy = new Map<string, number>();

  constructor(bytes = UPLOAD_ROOM_BYTES) {
    this.#bytes = bytes;
  }

  /** Throws the 503 problem where there is none left; what is held is given back with the answer. */
  take(request: FastifyRequest, reply: FastifyReply, spec: OperationSpec): void {
    const most = bodyLimitOf(spec);
    const length = Number(request.headers['content-length'] ?? most);
    // What is longer than the operation takes is refused without being read.
    const wanted = length <= most ? length : 0;
    const client = keyOf(request);
    const own = this.#heldBy.get(client) ?? 0;
    // One alone is always taken, or a file larger than a quarter never would be.
    if (own > 0 && own + wanted > this.#bytes / 4)
      throw full('Too many of your uploads are on their way here.');
    if (this.#held + wanted > this.#bytes) throw full('Too many uploads are on their way here.');
    this.#add(client, wanted);
    reply.raw.once('close', () => this.#add(client, -wanted));
  }

  #add(client: string, bytes: number): void {
    this.#held += bytes;
    const own = (this.#heldBy.get(client) ?? 0) + bytes;
    if (own > 0) this.#heldBy.set(client, own);
    else this.#heldBy.delete(client);
  }
}

/** The account, from however many addresses; of who has none, the address. */
function keyOf({ principal, ip }: FastifyRequest): string {
  return principal?.kind === 'user' ? principal.id : clientOf(ip);
}

function full(what: string): Shed {
  const detail = `${what} Send it again in a moment.`;
  return new Shed(libraryProblem('unavailable', { detail }).body, { retryAfter: 1 });
}
