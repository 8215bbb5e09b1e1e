// A broker that does not answer keeps no host from starting: parcels are taken, and their events wait in the outboxes.
// But whoever wrote BROKER_URL is told at once, in one line, and not by the retries of every module.
import { connect } from 'node:net';
import type { Logger } from 'pino';
import { parseBrokerUrl } from '../log/kafka/url.ts';

const TIMEOUT_MS = 3_000;

/** Looks once whether any of the brokers takes a connection, and says so if none does. */
export async function lookForBroker(brokerUrl: string, log: Logger): Promise<void> {
  const { brokers } = parseBrokerUrl(brokerUrl);
  const found = await Promise.allSettled(brokers.map(reach));
  if (found.some(({ status }) => status === 'fulfilled')) return;
  const [first] = found as PromiseRejectedResult[];
  log.warn(
    `BROKER_URL: no broker answers at ${brokers.join(', ')} (${(first!.reason as Error).message}). Requests are served, and their ` +
      'events wait until one does. Start it (a local one: npm run kafka), or correct BROKER_URL.',
  );
}

function reach(address: string): Promise<void> {
  const { hostname, port } = new URL(`kafka://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), timeout: TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => {
      socket.destroy();
      reject(new Error(`no answer in ${TIMEOUT_MS / 1000} s`));
    });
    socket.once('error', reject);
  });
}
