// The kafkajs client and what has to be put right about it. kafkajs 2.2.4 is no longer maintained; nothing
// outside this folder knows that it exists.
import net from 'node:net';
import tls from 'node:tls';
import { type ISocketFactory, Kafka, type LogEntry, logLevel, type SASLOptions } from 'kafkajs';
import type { LogLogger } from '../port.ts';
import { installCodecs } from './codecs.ts';
import { tellOfRefusedGroups } from './coordinator.ts';
import { installDecoding } from './decoding.ts';
import { checkInside, inside, type RequestQueue } from './internals.ts';
import { endWhenSilent } from './silence.ts';
import { type BrokerAddress, parseBrokerUrl, readCa } from './url.ts';

/** So long a request may take; those that wait for others (a rebalance) have ten seconds of it. */
const REQUEST_MS = 15_000;

export function createClient(url: string, clientId: string, log: LogLogger): Kafka {
  checkInside();
  calmRequestQueue();
  installCodecs();
  installDecoding();
  tellOfRefusedGroups();
  const address = parseBrokerUrl(url);
  const { brokers, tls } = address;
  const ca = readCa(address);
  return new Kafka({
    clientId,
    brokers: [...brokers],
    ssl: ca === undefined ? tls : { ca },
    ...(address.user === undefined ? {} : { sasl: saslOf(address) }),
    socketFactory: openSocket,
    connectionTimeout: 3_000,
    requestTimeout: REQUEST_MS,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: logLevel.WARN,
    // It logs every broken connection of a broker that restarts as an error; callers report what matters.
    logCreator:
      () =>
      ({ level, log: { message, error } }: LogEntry) =>
        log.debug({ kafkajs: level, err: error }, message),
  });
}

/** The mechanisms are named alike there; its types have one shape for each. */
function saslOf({ mechanism = 'plain', user, password }: BrokerAddress): SASLOptions {
  return { mechanism, username: user, password } as SASLOptions;
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
  endWhenSilent(socket, REQUEST_MS);
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
