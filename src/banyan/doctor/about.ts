// What a host says of itself to a monolith that asks (GET /about on its internal port): what only it knows, and no row has.
// Guarantee: no secret, only whether it was given or made. A host of the version before, or in another language, has no such page.
import { Type } from '../contract/type.ts';
import { compile } from '../contract/validation.ts';

export const ABOUT_PATH = '/about';

export interface About {
  readonly version: string;
  readonly node: string;
  /** Milliseconds since the epoch, by its own clock. */
  readonly now: number;
  /** It was started with NODE_ENV=production. */
  readonly production: boolean;
  /** Its DATA_DIR goes when the machine starts again, or is swept. */
  readonly temporary: boolean;
  /** It has files there that nobody else has: an embedded database. */
  readonly keeps: boolean;
  /** Secrets that it was not given and made in its DATA_DIR, by the variable. */
  readonly madeHere: readonly string[];
  /** It lets hosts of the version before in by one key for all (INTERNAL_KEY_LEGACY). */
  readonly legacy: boolean;
  /** Of each module that runs here, the newest migration on its disk; null: there is none. */
  readonly schemas: Readonly<Record<string, string | null>>;
  /** Telemetry by OTLP: the signals that are not taken, and how much was dropped since its start; null: none is sent. */
  readonly otlp: { readonly down: readonly string[]; readonly dropped: number } | null;
  /** Why the last notice that it sent did not arrive; null: it did, or there was none. */
  readonly notices: string | null;
}

const word = Type.String({ maxLength: 300 });
const shape = compile(
  Type.Object({
    version: word,
    node: word,
    now: Type.Number(),
    production: Type.Boolean(),
    temporary: Type.Boolean(),
    keeps: Type.Boolean(),
    madeHere: Type.Array(word, { maxItems: 100 }),
    legacy: Type.Boolean(),
    schemas: Type.Record(Type.String(), Type.Union([word, Type.Null()])),
    otlp: Type.Union([
      Type.Object({ down: Type.Array(word, { maxItems: 10 }), dropped: Type.Number() }),
      Type.Null(),
    ]),
    notices: Type.Union([word, Type.Null()]),
  }),
);

/** What another process answered. Throws where that is something else. */
export function readAbout(given: unknown): About {
  if (shape.fits(given)) return given as About;
  const [wrong] = shape.errors(given);
  throw new Error(`what it says of itself is not understood: ${wrong?.path} ${wrong?.message}`);
}
