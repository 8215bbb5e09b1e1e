// Pictures are decoded in processes of their own, which end when they are idle: what libvips took is then given back
// whole, as no allocator does inside of a process that goes on, and a picture that kills its decoder kills nobody
// else. Bounded: two pictures at once, few waiting, and the bytes of both; beyond it 503 at once.
// It knows pictures as bytes and nothing of who sent them.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { BoundedQueue, libraryProblem, type Waiting } from '#banyan';
import type { Decoded } from './child.ts';
import { type Image, NotAnImage } from './decode.ts';

const AT_ONCE = 2;
const WAITING = 14;
/** Of what runs and waits: six pictures of the largest size. */
const BYTES = 64 * 1024 * 1024;
/** The rest of a request's 15 s is for the picture itself, and for what is written. */
const MAX_WAIT_MS = 5000;
/** A process takes 150 ms to begin; pictures come in rows. */
const IDLE_MS = 10_000;
/** The largest picture takes 2 s of a core. */
const LONGEST_MS = 12_000;

const entry = fileURLToPath(new URL('./child.ts', import.meta.url));

export interface Decoder {
  /** Rejects with NotAnImage, or with the 503 problem of a queue that is full or a host that can begin no process. */
  decode(who: Waiting, bytes: Buffer): Promise<Image>;
  /** The processes that there are. */
  readonly processes: readonly number[];
  close(): void;
}

export function createDecoder({
  idleMs = IDLE_MS,
  longestMs = LONGEST_MS,
  execPath = process.execPath,
  onKilled = () => {},
} = {}): Decoder {
  const idle: Child[] = [];
  const all = new Set<Child>();
  const queue = new BoundedQueue({
    busy: 'More pictures are to be decoded than this host can at once.',
    atOnce: AT_ONCE,
    waiting: WAITING,
    maxWaitMs: MAX_WAIT_MS,
    weight: BYTES,
    retryAfter: 2,
  });

  const work = async (bytes: Buffer): Promise<Image> => {
    let child = idle.pop();
    while (child?.ended) child = idle.pop();
    child ??= begin(execPath);
    all.add(child);
    try {
      return await child.decode(bytes, longestMs);
    } finally {
      if (child.ended) {
        all.delete(child);
        onKilled();
      } else {
        idle.push(child);
        child.rest(idleMs, () => {
          const at = idle.indexOf(child);
          // One that died while idle was passed over, and is not in the list any more.
          if (at >= 0) idle.splice(at, 1);
          all.delete(child);
        });
      }
    }
  };

  return {
    decode: (who, bytes) => queue.run(who, () => work(bytes), bytes.length),
    get processes() {
      return [...all].flatMap(({ pid }) => pid ?? []);
    },
    close() {
      for (const child of all) child.end();
    },
  };
}

/** One process, one picture at a time. */
class Child {
  readonly #process: ChildProcess;
  #rest: NodeJS.Timeout | undefined;
  ended = false;

  constructor(execPath: string) {
    // Without the environment: it holds the secrets of the host.
    this.#process = fork(entry, {
      execPath,
      serialization: 'advanced',
      execArgv: [],
      env: {},
      stdio: 'ignore',
    });
    this.#process.on('exit', () => {
      this.ended = true;
    });
    // It ended, or a message did not reach it: it gets no other picture.
    this.#process.on('error', () => {
      this.ended = true;
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  async decode(bytes: Buffer, longestMs: number): Promise<Image> {
    clearTimeout(this.#rest);
    this.#process.ref();
    this.#process.channel?.ref();
    const answer = await this.#ask(bytes, longestMs);
    if ('wrong' in answer) throw new NotAnImage(answer.wrong);
    const { thumb, original, ...image } = answer.image;
    return { ...image, thumb: bufferOf(thumb), original: bufferOf(original) };
  }

  #ask(bytes: Buffer, longestMs: number): Promise<Decoded> {
    const child = this.#process;
    return new Promise<Decoded>((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        child.off('message', told);
        child.off('exit', died);
        child.off('error', failed);
        done();
      };
      const told = (answer: Decoded) => settle(() => resolve(answer));
      const died = () =>
        settle(() => reject(new NotAnImage('cannot be decoded: it stopped the program that tried')));
      // It could not begin, or the picture did not reach it: nothing that the picture did.
      const failed = (error: Error) => {
        this.end();
        settle(() => reject(cannotBegin(error)));
      };
      const timer = setTimeout(() => {
        this.end();
        settle(() => reject(tooSlow()));
      }, longestMs);
      child.once('message', told);
      child.once('exit', died);
      child.once('error', failed);
      // Without a free file descriptor it has no channel and no `send`; the event 'error' has the reason.
      child.send?.(bytes, (error) => error && failed(error));
    });
  }

  /** Ends it after a while without a picture; until then it keeps nobody's process alive. */
  rest(idleMs: number, onEnd: () => void): void {
    this.#process.unref();
    this.#process.channel?.unref();
    this.#rest = setTimeout(() => {
      onEnd();
      this.end();
    }, idleMs).unref();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.#rest);
    this.#process.kill('SIGKILL');
  }
}

/** Node throws some failures of a fork, and tells others by 'error'. */
function begin(execPath: string): Child {
  try {
    return new Child(execPath);
  } catch (error) {
    throw cannotBegin(error);
  }
}

const cannotBegin = (cause: unknown) =>
  libraryProblem('unavailable', {
    detail: 'This host cannot decode pictures at the moment. Try again later.',
    retryAfter: 10,
    cause,
  });

const tooSlow = () =>
  libraryProblem('unavailable', {
    detail: 'The picture took too long to decode. Try again later.',
    retryAfter: 10,
  });

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
