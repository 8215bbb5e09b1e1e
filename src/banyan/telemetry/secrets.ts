// The last guard before a line is written: what looks like a secret is replaced, by its field's name or by its form.
// Whoever writes a line leaves secrets out by himself; this is for what slips through.

const BY_NAME = /^(authorization|cookie|\w*[pP]asswords?|\w*secret|\w*[tT]oken|\w*[kK]ey|d|k|sealed)$/;

/** JWT and JWE, private keys, operators' tokens, the password of a URL, a header. */
const BY_FORM =
  /\beyJ[\w-]{8,}(?:\.[\w-]*){2,4}|-----BEGIN [^-]*PRIVATE KEY-----[\s\S]*|\bbop_[\w-]{16,}|(?<=:\/\/[^\s:@/]{0,200}:)[^\s@/]+(?=@)|(?<=\bBearer )\S+/gi;

const REPLACED = '[secret]';

/** Texts that a client chose are cut, so that a line has an end. */
const LONGEST = 2_000;

export function withoutSecrets(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, LONGEST).replace(BY_FORM, REPLACED);
  if (Array.isArray(value)) return value.slice(0, 100).map(withoutSecrets);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      BY_NAME.test(name) && typeof one === 'string' ? REPLACED : withoutSecrets(one),
    ]),
  );
}
