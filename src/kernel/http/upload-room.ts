// Room for uploads: the bytes of a file stand in memory from the first one until the answer, so a port takes only so
// many at once. Asked before the body is read; beyond it the client is told at once to come again. A body without a
// length counts as the largest that its operation takes. It knows nothing of what is uploaded.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { OperationSpec } from '../contract/contract.ts';
import { kernelProblem } from '../contract/problem.ts';
import { Shed } from './admission.ts';
import { bodyLimitOf } from './limits.ts';

/** Twelve files of the largest size that media takes, and many of the usual ones. */
export const UPLOAD_ROOM_BYTES = 128 * 1024 * 1024;

declare module 'fastify' {
  interface FastifyInstance {
    readonly uploadRoom: UploadRoom;
  }
}

export class UploadRoom {
  readonly #bytes: number;
  #held = 0;

  constructor(bytes = UPLOAD_ROOM_BYTES) {
    this.#bytes = bytes;
  }

  /** Throws the 503 problem where there is none left; what is held is given back with the answer. */
  take({ raw }: FastifyRequest, reply: FastifyReply, spec: OperationSpec): void {
    const most = bodyLimitOf(spec);
    const length = Number(raw.headers['content-length'] ?? most);
    // What is longer than the operation takes is refused without being read.
    const wanted = length <= most ? length : 0;
    if (this.#held + wanted > this.#bytes) {
      const detail = 'Too many uploads are on their way here. Send it again in a moment.';
      throw new Shed(kernelProblem('unavailable', { detail }).body, { retryAfter: 1 });
    }
    this.#held += wanted;
    reply.raw.once('close', () => {
      this.#held -= wanted;
    });
  }
}
