// The kafkajs client and what has to be put right about it. kafkajs 2.2.4 is no longer maintained; nothing
// outside this folder knows that it exists.
import net from 'node:net';
import tls from 'node:tls';
import { type ISocketFactory, Kafka, type LogEntry, logLevel } from 'kafkajs';
import type { LogLogger } from '../port.ts';
import { installCodecs } from './codecs.ts';
import { installDecoding } from './decoding.ts';
import { checkInside, inside, type RequestQueue } from './internals.ts';

export interface BrokerAddress {
  readonly brokers: readonly string[];
  readonly tls: boolean;
  readonly user?: string;
  readonly password?: string;
}

/** Reads `kafka[s]://[user:pass@]h1:9092,h2:9092`. Throws an error that says what it should look like. */
export function parseBrokerUrl(url: string): BrokerAddress {
  const match = /^kafka(s?):\/\/(?:([^:@/]+):([^@/]*)@)?([^/@?]+)\/?$/.exec(url);
  const brokers = match?.[4]?.split(',');
  if (!match || !brokers?.every((broker) => /^(\[[0-9a-f:.]+\]|[^:,\s]+):\d{1,5}$/i.test(broker))) {
    throw new Error(`The broker URL must look like kafka[s]://[user:pass@]h1:9092,h2:9092`);
  }
  return {
    brokers,
    tls: match[1] === 's',
    ...(match[2] ? { user: decodeURIComponent(match[2]), password: decodeURIComponent(match[3]!) } : {}),
  };
}

export function createClient(url: string, clientId: string, log: LogLogger): Kafka {
  checkInside();
  calmRequestQueue();
  installCodecs();
  installDecoding();
  const { brokers, tls, user, password } = parseBrokerUrl(url);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: tls,
    ...(user ? { sasl: { mechanism: 'plain' as const, username: user, password: password! } } : {}),
    socketFactory: openSocket,
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.WARN,
    // It logs every broken connection of a broker that restarts as an error; callers report what matters.
    logCreator:
      () =>
      ({ level, log: { message, error } }: LogEntry) =>
        log.debug({ kafkajs: level, err: error }, message),
  });
}

/**
 * As kafkajs opens its own. It ends a socket that never connected once per request that waited for it, and on
 * such a socket every `unref` leaves a listener: while a broker is away that is a MaxListenersExceededWarning.
 */
const openSocket: ISocketFactory = ({ host, port, ssl, onConnect }) => {
  const socket = ssl
    ? tls.connect({ host, port, ...(net.isIP(host) ? {} : { servername: host }), ...ssl }, onConnect)
    : net.connect({ host, port }, onConnect);
  socket.setKeepAlive(true, 60_000);
  const unref = socket.unref.bind(socket);
  socket.unref = () => (socket.destroyed ? socket : unref());
  return socket;
};

let calmed = false;

/**
 * kafkajs schedules a check of its request queue after every response, also when nothing is pending, by a
 * timer of minus 1.7 trillion milliseconds: Node 24 warns of it on every terminal (TimeoutNegativeWarning), and
 * the timer does nothing. Schedule it only when there is something to check.
 */
function calmRequestQueue(): void {
  if (calmed) return;
  calmed = true;
  inside('network/requestQueue').prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.throttleCheckTimeoutId || this.pending.length === 0) return;
    const wait = Math.max(this.throttledUntil - Date.now(), 10);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, wait);
  };
}
