// How the log speaks of a server that does not answer (broker, database, mail): whoever needs it finds out for
// itself and tries again, which is eleven parts of a host every few seconds, and of a process of a module every request.
// The same sentence is said once a minute, and without a stack, which would name the driver's lines and none of ours.
// Everything else is logged as it comes.
import { stdSerializers } from 'pino';

const SAY_AGAIN_MS = 60_000;
const MOST = 200;

/** Also a log that answers and refuses: it is tried again, and refuses again. By name: the log is above this folder. */
function isRepeated(error: unknown): error is Error {
  return isUnreachable(error) || isAway(error) || (error instanceof Error && error.name === 'LogRefused');
}

/** A problem that says of a module that it did not answer. */
function isAway(error: unknown): error is Error {
  const { name = '', code = '' } = (error ?? {}) as NodeJS.ErrnoException;
  return /^(Problem|ModuleUnavailable)$/.test(name) && /^(unavailable|deadline-exceeded)$/.test(code);
}

/** The proxy's own line for each such request. The gateway says it with the name of the process. */
const PROXY_LINE = 'response errored';

const codes = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The error tells of a server that cannot be reached. */
export function isUnreachable(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  if (codes.has((error as NodeJS.ErrnoException).code ?? '')) return true;
  const { cause } = error;
  const connection = /^KafkaJS(ConnectionError|ConnectionClosedError|NumberOfRetriesExceeded)/;
  return connection.test(error.name) || (cause !== undefined && isUnreachable(cause));
}

export function serializeError(error: Error): unknown {
  if (!isRepeated(error)) return stdSerializers.err(error);
  const code = (error as NodeJS.ErrnoException).code;
  return { type: error.name, message: error.message, ...(code !== undefined && { code }) };
}

/** Answers whether the line is to be left out: the same was said less than a minute ago, or is said elsewhere. */
export function createOutageFilter(
  now = () => performance.now(),
): (line: unknown, message: unknown) => boolean {
  const said = new Map<string, number>();
  return (line, message) => {
    if (line instanceof Error && message === PROXY_LINE) return true;
    const error = (line as { err?: unknown } | null)?.err;
    if (!isRepeated(error)) return false;
    const text = `${message}: ${error.message}`;
    const last = said.get(text);
    if (last !== undefined && now() - last < SAY_AGAIN_MS) return true;
    if (said.size >= MOST) said.clear();
    said.set(text, now());
    return false;
  };
}
