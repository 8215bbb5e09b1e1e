// What a service and control have to say to each other: one exchange at a time registers, beats and brings the next
// picture, from whichever monolith answers. Guarantees: never two exchanges at once; one that waits is broken off when
// this host has something to say. When to ask, and whether to ask again, is its follower's business.
import type { Logger } from 'pino';
import { waitAfter } from '../context/backoff.ts';
import type { Snapshot } from '../routing/snapshot.ts';
import { isAwaited, type Picture } from './follower.ts';
import type { HostReport, Registration } from './host.ts';
import type { SyncAnswer } from './sync.ts';
import { Refused, sendSync } from './sync-client.ts';
import type { SyncRequest } from './sync-request.ts';
import { SPOKEN } from './words.ts';

export interface ConversationOptions {
  /** CONTROL_URL: the internal port of a monolith. Others are learnt from the pictures. */
  readonly controlUrl: string;
  /** An internal token for the audience. @param legacy for a monolith of the version before. */
  readonly token: (audience: string, legacy: boolean) => string | Promise<string>;
  /** Monoliths of the version before may be among those that answer. */
  readonly overlap?: boolean;
  readonly log: Logger;
}

/** Why an exchange was broken off: this host has something to say now. */
export const interrupted = new Error('interrupted');

/** Said each time: whichever monolith answers puts its picture in these words. */
const speaks = [...SPOKEN];

const waits = { firstMs: 100, longestMs: 500 };

export class Conversation {
  readonly #options: ConversationOptions;
  readonly #picture: Picture;
  /** Control has let this host in, and did not take it back: it may enter the registry again without being told to. */
  admitted = false;
  #tag = '';
  #member: { self: Registration; report: () => HostReport } | undefined;
  #registered = false;
  #target: string;
  #failures = 0;
  #waiting: AbortController | undefined;
  #turn: Promise<void> = Promise.resolve();
  /** Those of the version before, by their addresses. */
  readonly #legacy = new Set<string>();

  constructor(options: ConversationOptions, picture: Picture) {
    this.#options = options;
    this.#picture = picture;
    this.#target = options.controlUrl;
  }

  /** Of control's tables when the present picture was made; '' before the first. */
  get tag(): string {
    return this.#tag;
  }

  /** The last exchange came to its end. */
  get answers(): boolean {
    return this.#tag !== '' && this.#failures === 0;
  }

  /** Whom the next exchange is with. */
  get target(): string {
    return this.#target;
  }

  /** Somebody may be waiting for what this host counts. */
  get awaited(): boolean {
    const member = this.#member;
    return member !== undefined && isAwaited(this.#picture.current, member.self, member.report());
  }

  /** From now on it is this host that speaks. */
  introduce(self: Registration, report: () => HostReport): void {
    this.#member = { self, report };
    this.#registered = false;
    this.interrupt();
  }

  /** Says what this host is and does, and takes what control has for it; waits for nothing new. */
  speak(mayRegister?: boolean): Promise<void> {
    return this.#inTurn(() => this.#exchange(0, mayRegister));
  }

  /** The same, and waits so long for the next picture; not where this host is to enter the registry again first. */
  listen(ms: number): Promise<void> {
    return this.#inTurn(() => this.#exchange(this.admitted && !this.#registered ? 0 : ms));
  }

  interrupt(): void {
    this.#waiting?.abort(interrupted);
  }

  /** Counts an exchange that failed; answers whether it is the first in a row. */
  failed(): boolean {
    this.#failures += 1;
    return this.#failures === 1;
  }

  /** How long to wait after the last failure, in milliseconds. */
  get waitMs(): number {
    return waitAfter(this.#failures, waits);
  }

  /** The next exchange is with another: CONTROL_URL and the monoliths of the last picture, in turn. */
  turnToNext(): void {
    const { monoliths } = this.#picture.current;
    const all = [...new Set([this.#options.controlUrl, ...monoliths.map(({ url }) => url)])];
    this.#target = all[(all.indexOf(this.#target) + 1) % all.length]!;
  }

  /** Breaks off what is under way, and takes this host out of the registry. Never rejects. */
  async leave(): Promise<void> {
    this.interrupt();
    await this.#turn;
    if (!this.#member || !this.#registered) return;
    await this.#send({ tag: this.#tag, waitMs: 0, leave: this.#member.self.host }).catch(() => {});
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(work);
    this.#turn = mine.catch(() => {});
    return mine;
  }

  async #exchange(waitMs: number, mayRegister = this.admitted): Promise<void> {
    const answer = await this.#send({ tag: this.#tag, waitMs, speaks, ...this.#introduction(mayRegister) });
    if (this.#member) this.#registered = answer.known;
    if (answer.snapshot) {
      this.#picture.replace(
        withKeys(inOurTime(answer.snapshot, Date.now() - answer.now), this.#picture.current),
      );
      this.#tag = answer.tag;
    }
    if (this.#failures > 0) this.#options.log.info({ control: this.#target }, 'control answers again');
    this.#failures = 0;
  }

  #introduction(mayRegister: boolean): Pick<SyncRequest, 'register' | 'beat'> {
    if (!this.#member) return {};
    const { self, report } = this.#member;
    return {
      ...(!this.#registered && mayRegister && { register: self as unknown as SyncRequest['register'] }),
      beat: { ...report(), host: self.host, appliedVersion: this.#picture.current.version },
    };
  }

  async #send(body: SyncRequest): Promise<SyncAnswer> {
    try {
      return await this.#ask(body);
    } catch (error) {
      const refused = error instanceof Refused && error.reason === 'unauthenticated';
      if (!refused || !this.#options.overlap) throw error;
      if (!this.#legacy.delete(this.#target)) this.#legacy.add(this.#target);
      return this.#ask(body);
    }
  }

  #ask(body: SyncRequest): Promise<SyncAnswer> {
    this.#waiting = new AbortController();
    const legacy = this.#legacy.has(this.#target);
    const token = (audience: string) => this.#options.token(audience, legacy);
    return sendSync(this.#target, token, body, this.#waiting.signal);
  }
}

/** A monolith of the version before knows of no keys: those that were known stay. */
function withKeys(snapshot: Snapshot, { services, seals }: Snapshot): Snapshot {
  return { ...(services && { services }), ...(seals && { seals }), ...snapshot };
}

/** `stableSince` and `recordingUntil` were said by another clock, which ours is `ahead` of. */
function inOurTime(snapshot: Snapshot, ahead: number): Snapshot {
  const modules = Object.fromEntries(
    Object.entries(snapshot.modules).map(([name, module]) => [
      name,
      module.stableSince === undefined ? module : { ...module, stableSince: module.stableSince + ahead },
    ]),
  );
  const { recordingUntil } = snapshot;
  return { ...snapshot, modules, ...(recordingUntil && { recordingUntil: recordingUntil + ahead }) };
}
