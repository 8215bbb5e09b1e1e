// Errors as data: one class that becomes an RFC 9457 problem on either door and comes back as the same
// class in the caller, so that business code catches one thing whether the callee is near or far.
import type { Contract } from './contract.ts';

export interface FieldError {
  /** JSON Pointer into the input as the client wrote it, for example `/lines/0/quantity`. */
  readonly path: string;
  readonly message: string;
}

/** The JSON of a problem (RFC 9457); `code` is the last part of `type`, for people who compare strings. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly [extension: string]: unknown;
}

export interface ProblemOptions {
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Seconds; becomes the Retry-After header. */
  readonly retryAfter?: number;
  /** Extension members of the problem. */
  readonly extra?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

export class Problem extends Error {
  readonly body: ProblemBody;
  readonly retryAfter: number | undefined;

  constructor(body: ProblemBody, options: { retryAfter?: number; cause?: unknown } = {}) {
    super(body.detail ?? body.title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Problem';
    this.body = body;
    this.retryAfter = options.retryAfter;
  }

  get status(): number {
    return this.body.status;
  }

  get code(): string {
    return this.body.code;
  }
}

function make(scope: string, code: string, status: number, title: string, options: ProblemOptions): Problem {
  const { detail, errors, extra } = options;
  const body: ProblemBody = {
    type: `urn:banyan:problem:${scope}:${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(errors === undefined ? {} : { errors }),
    ...extra,
  };
  return new Problem(body, { retryAfter: options.retryAfter, cause: options.cause });
}

/** A problem that a module's contract defines. */
export function problem<C extends Contract, E extends keyof C['errors'] & string>(
  contract: C,
  code: E,
  options: ProblemOptions = {},
): Problem {
  const spec = contract.errors[code]!;
  return make(contract.module, code, spec.status, spec.title, options);
}

/** The problems that any operation may answer with: they belong to the doors, not to a contract. */
export const libraryErrors = {
  malformed: { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'Not allowed' },
  'not-found': { status: 404, title: 'Not found' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  timeout: { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'Conflict' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The media type is not supported' },
  'range-not-satisfiable': { status: 416, title: 'The range is outside the file' },
  invalid: { status: 422, title: 'The input does not fit the schema' },
  'upgrade-refused': { status: 426, title: 'No protocol but HTTP/1.1 is spoken here' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are too large' },
  internal: { status: 500, title: 'Something went wrong here' },
  'not-implemented': { status: 501, title: 'The method is not known here' },
  'bad-gateway': { status: 502, title: 'The service answered badly' },
  unavailable: { status: 503, title: 'The module is not available' },
  'deadline-exceeded': { status: 504, title: 'The answer did not come in time' },
} as const;

export type LibraryError = keyof typeof libraryErrors;

/** A problem of the doors themselves (authentication, shape, availability). */
export function libraryProblem(code: LibraryError, options: ProblemOptions = {}): Problem {
  const spec = libraryErrors[code];
  return make('kernel', code, spec.status, spec.title, options);
}

/**
 * The module could not be reached: the one error a caller sees for every way a network can fail. Its message has the cause,
 * for the log; its body, which clients get, has nothing of our insides.
 */
export class ModuleUnavailable extends Problem {
  readonly module: string;
  /** Nothing of the call was sent: repeating it is safe even when the operation is not idempotent. */
  readonly nothingSent: boolean;

  constructor(
    module: string,
    why: string,
    options: { nothingSent?: boolean; retryAfter?: number; cause?: unknown } = {},
  ) {
    const detail = `${module} is not available at the moment. Try again after the seconds in Retry-After.`;
    const base = libraryProblem('unavailable', { detail, extra: { module } });
    super(base.body, { retryAfter: options.retryAfter ?? 1, cause: options.cause });
    this.message = why;
    this.name = 'ModuleUnavailable';
    this.module = module;
    this.nothingSent = options.nothingSent ?? false;
  }
}
