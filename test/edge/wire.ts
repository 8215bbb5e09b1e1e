// A client that sends bytes as they are and reads whatever comes back: every answer on the connection, and whether it
// stays. That is asked by a request of its own behind the bytes, so that nothing is guessed from silence but the one
// thing that silence is: a server that waits for the rest.
import { connect } from 'node:net';

export interface Answer {
  readonly status: number;
  /** As they came, names in small letters. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

export interface Exchange {
  readonly answers: readonly Answer[];
  readonly end: 'stays' | 'closes' | 'waits';
}

const PROBE = 'GET /health/live HTTP/1.1\r\nHost: edge\r\n\r\n';

/** A server that has the whole request answers sooner, also on a busy machine. */
const PATIENCE_MS = 4_000;

/** @param parts written one after the other, each in a packet of its own. @param head no answer has a body. */
export function exchange(base: string, parts: readonly string[], head: boolean): Promise<Exchange> {
  const { hostname, port } = new URL(base);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const received: Buffer[] = [];
    let asked = false;
    const read = () => answersIn(Buffer.concat(received).toString('latin1'), head);
    const done = (end: Exchange['end']) => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ answers: read().filter((one) => !isLive(one)), end });
    };
    const timer = setTimeout(done, PATIENCE_MS, 'waits');
    socket.on('connect', async () => {
      for (const part of parts) {
        socket.write(part, 'latin1');
        await new Promise((next) => setImmediate(next));
      }
    });
    socket.on('data', (bytes: Buffer) => {
      received.push(bytes);
      const answers = read();
      if (answers.some(isLive)) done('stays');
      // 100 comes before the answer.
      else if (!asked && answers.some(({ status }) => status >= 200)) {
        asked = true;
        socket.write(PROBE);
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => done('closes'));
  });
}

function isLive({ status, body }: Answer): boolean {
  return status === 200 && body.startsWith('{"status":"live"');
}

function answersIn(text: string, head: boolean): Answer[] {
  const answers: Answer[] = [];
  for (let rest = text; ; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) return answers;
    const [first = '', ...lines] = rest.slice(0, end).split('\r\n');
    const status = Number(first.split(' ')[1]);
    const headers = lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
    rest = rest.slice(end + 4);
    const length = Number(headers.find(([name]) => name === 'content-length')?.[1] ?? 0);
    // The probe behind a HEAD has a body again.
    const bodiless =
      status < 200 || status === 204 || status === 304 || (head && !rest.startsWith('{"status":"live"'));
    const size = bodiless ? 0 : headers.some(([name]) => name === 'transfer-encoding') ? rest.length : length;
    if (rest.length < size) return answers;
    answers.push({ status, headers, body: rest.slice(0, size) });
    rest = rest.slice(size);
  }
}
