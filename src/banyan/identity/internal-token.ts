// Internal tokens: how one host proves to another which service it is. A JWT of five minutes, signed by the key of one
// service (Ed25519), for one audience: a token caught at one service opens no other, and a key says one name alone.
// Guarantees: who asks is whom the key belongs to by the picture, never what is claimed; algorithm, issuer and audience
// are exact; a token that was verified before costs a look-up, and is dropped with its key.
import type { CryptoKey, JWK, JWTPayload } from 'jose';
import { Problem } from '../contract/problem.ts';
import { CLOCKS_MS, type RefusalReason, TokenRefused } from './hop.ts';
import { KnownKeys, type KnownKeysOptions } from './known-keys.ts';
import { createLegacyTokens } from './legacy-token.ts';
import { TokenCache } from './token-cache.ts';

const ISSUER = 'banyan:internal';
const ALGORITHM = 'EdDSA';

/** Five minutes, renewed one minute before the end: clocks may differ by that and the tolerance, either way (CLOCKS_MS). */
const LIFETIME_SECONDS = 300;
const RENEW_SECONDS = 60;
const CLOCK_TOLERANCE_SECONDS = 30;

/** The audience of the control endpoint, which belongs to no service. */
export const CONTROL_AUDIENCE = 'control';

/** The name of monoliths and of gateways alone, which speak for clients and for every module. */
export const MONOLITH = 'monolith';

export interface InternalCaller {
  /** The service whose key signed the token: `monolith`, or the name of a service. */
  readonly caller: string;
  /** The key; undefined: it was INTERNAL_KEY, and the host is of the version before. */
  readonly kid: string | undefined;
}

export interface InternalTokens {
  /** The key that this host signs by now. */
  readonly kid: string;
  /** A token for that audience: at once while the last one is fresh. @param legacy for a host of the version before. */
  mint(audience: string, legacy?: boolean): string | Promise<string>;
  /** Who minted it. Throws or rejects with the 401 Problem, or with what `refresh` did; at once when it was verified before. */
  verify(token: string | undefined, audience: string): InternalCaller | Promise<InternalCaller>;
  /** Its key stands in the present picture. */
  isKnown(caller: InternalCaller): boolean;
}

export interface InternalTokensOptions extends Omit<KnownKeysOptions, 'onChange'> {
  /** Who this host is: the name that its key belongs to. */
  readonly self: string;
  /** Its private key of the moment, with its kid. Throws where it has none. */
  readonly key: () => JWK;
  /** INTERNAL_KEY, while hosts of the version before are let in. */
  readonly legacyKey?: string | undefined;
}

/** The service of an instance, which is the audience of what is sent to it: `parcels-2` is `parcels`. */
export function audienceOf(instanceId: string): string {
  return instanceId.replace(/-\d+$/, '');
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return header !== undefined && /^bearer /i.test(header) ? header.slice(7).trim() : undefined;
}

export function createInternalTokens(options: InternalTokensOptions): InternalTokens {
  return new Tokens(options);
}

interface Minted {
  readonly token: string;
  readonly kid: string | undefined;
  readonly mintedAt: number;
  readonly renewAt: number;
}

class Tokens implements InternalTokens {
  readonly #options: InternalTokensOptions;
  readonly #known: KnownKeys;
  readonly #legacy: ReturnType<typeof createLegacyTokens> | undefined;
  readonly #minted = new Map<string, Minted>();
  readonly #verified = new Map<string, TokenCache<InternalCaller>>();
  #signing: { readonly jwk: JWK; readonly key: Promise<CryptoKey> } | undefined;

  constructor(options: InternalTokensOptions) {
    const { legacyKey, self } = options;
    this.#options = options;
    this.#legacy = legacyKey === undefined ? undefined : createLegacyTokens(legacyKey, self);
    this.#known = new KnownKeys({ ...options, onChange: () => this.#verified.clear() });
  }

  get kid(): string {
    return this.#options.key().kid!;
  }

  mint(audience: string, legacy = false): string | Promise<string> {
    const old = legacy && this.#legacy !== undefined;
    const jwk = old ? undefined : this.#options.key();
    const last = this.#minted.get(old ? `${audience} legacy` : audience);
    const now = Date.now();
    // One of a clock that was set back since is of the future, and refused.
    if (last && last.kid === jwk?.kid && last.renewAt > now && last.mintedAt <= now) return last.token;
    return this.#mintNew(audience, jwk);
  }

  verify(token: string | undefined, audience: string): InternalCaller | Promise<InternalCaller> {
    if (!token) throw refusal('missing');
    this.#known.look();
    return this.#verified.get(audience)?.get(token) ?? this.#verifyNew(token, audience);
  }

  isKnown({ kid }: InternalCaller): boolean {
    return kid === undefined ? this.#legacy !== undefined : this.#known.has(kid);
  }

  /** @param jwk undefined: INTERNAL_KEY. */
  async #mintNew(audience: string, jwk: JWK | undefined): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const expires = now + LIFETIME_SECONDS;
    const token = jwk
      ? await this.#sign(jwk, audience, now, expires)
      : await this.#legacy!.sign({ audience, now, expires });
    this.#minted.set(jwk ? audience : `${audience} legacy`, {
      token,
      kid: jwk?.kid,
      mintedAt: now * 1000,
      renewAt: (expires - RENEW_SECONDS) * 1000,
    });
    return token;
  }

  async #sign(jwk: JWK, audience: string, now: number, expires: number): Promise<string> {
    const { importJWK, SignJWT } = await import('jose');
    if (this.#signing?.jwk !== jwk)
      this.#signing = { jwk, key: importJWK(jwk, ALGORITHM) as Promise<CryptoKey> };
    return new SignJWT()
      .setProtectedHeader({ alg: ALGORITHM, kid: jwk.kid!, typ: 'JWT' })
      .setIssuer(ISSUER)
      .setSubject(this.#options.self)
      .setAudience(audience)
      .setIssuedAt(now)
      .setExpirationTime(expires)
      .sign(await this.#signing.key);
  }

  async #verifyNew(token: string, audience: string): Promise<InternalCaller> {
    try {
      const { decodeProtectedHeader } = await import('jose');
      const { alg, kid } = decodeProtectedHeader(token);
      const { who, payload } =
        alg === 'HS256' ? await this.#ofLegacy(token, audience) : await this.#ofKey(token, kid, audience);
      if (payload.iat !== undefined && payload.iat * 1000 > Date.now() + CLOCKS_MS) throw refusal('early');
      // Not where the key went while its token was being verified.
      if (this.isKnown(who)) this.#cacheOf(audience).set(token, who, payload.exp! * 1000);
      return who;
    } catch (error) {
      // A Problem is no word on the token: nobody could look whose it is.
      throw error instanceof Problem ? error : refusal(reasonOf(error), error);
    }
  }

  async #ofKey(token: string, kid: string | undefined, audience: string) {
    if (kid === undefined) throw refusal('signature');
    const known = await this.#known.find(kid);
    if (!known) throw refusal('key');
    const { jwtVerify } = await import('jose');
    const { payload } = await jwtVerify(token, known.key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience,
      subject: known.name,
      requiredClaims: ['exp', 'iat'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    });
    if (payload.aud !== audience) throw refusal('audience');
    if (payload.exp! - payload.iat! > LIFETIME_SECONDS) throw refusal('signature');
    return { who: { caller: known.name, kid }, payload };
  }

  async #ofLegacy(token: string, audience: string): Promise<{ who: InternalCaller; payload: JWTPayload }> {
    if (!this.#legacy) throw refusal('legacy');
    const payload = await this.#legacy.verify(token, audience, CLOCK_TOLERANCE_SECONDS);
    if (typeof payload.caller !== 'string') throw new Error('no caller');
    return { who: { caller: payload.caller, kid: undefined }, payload };
  }

  #cacheOf(audience: string): TokenCache<InternalCaller> {
    let cache = this.#verified.get(audience);
    if (!cache) {
      cache = new TokenCache(1000);
      this.#verified.set(audience, cache);
    }
    return cache;
  }
}

function reasonOf(error: unknown): RefusalReason {
  const { code, claim } = error as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'expired';
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED' && claim === 'aud') return 'audience';
  return 'signature';
}

const words: Readonly<Record<RefusalReason, string>> = {
  missing: 'An internal token is required on this port.',
  expired: 'The internal token has expired. Is the clock of who sent it behind?',
  early: 'The internal token is not valid yet: the clock of who sent it is ahead.',
  audience: 'The internal token is for another service.',
  key: 'The internal token names a key that is not known here: it was revoked, or is of another installation.',
  legacy:
    'The internal token is by INTERNAL_KEY, which hosts of this version take under INTERNAL_KEY_LEGACY=1 alone.',
  signature: 'The internal token is forged or damaged: it was not signed by the key that it names.',
};

function refusal(reason: RefusalReason, cause?: unknown): TokenRefused {
  return new TokenRefused(reason, words[reason], cause);
}
