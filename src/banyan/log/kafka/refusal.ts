// What it means when Kafka answers "not authorized", or does not believe who we are: kafkajs tells that among its other
// errors, and an operator needs to know who was refused what, and whose turn it is.
import { LogRefused } from '../port.ts';

const refusals: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'the topic',
  GROUP_AUTHORIZATION_FAILED: 'the group',
  CLUSTER_AUTHORIZATION_FAILED: 'the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'the transactional id',
};

interface Link {
  readonly name?: string;
  readonly type?: string;
  readonly cause?: unknown;
  readonly errors?: readonly unknown[];
}

/**
 * The error as it is to be told: a LogRefused where the broker refused.
 * @param principal as whom the broker knows us @param what was tried, as in "write to the topic x"
 */
export function refusalOf(error: unknown, principal: string, what: string): unknown {
  if (error instanceof LogRefused) return error;
  const links = [...chain(error)];
  if (links.some(({ name }) => name === 'KafkaJSSASLAuthenticationError'))
    return new LogRefused(
      `The broker does not believe that this is ${principal} (${(error as Error).message})`,
      'compare user, password and mechanism of BROKER_URL with what the broker has of it (kafka-configs --describe)',
      error,
    );
  const type = links.map((one) => one.type ?? '').find((one) => one in refusals);
  if (!type) return error;
  return new LogRefused(
    `The broker does not let ${principal} ${what}: it refused ${refusals[type]}`,
    'a monolith gives these rights at its start where it has BROKER_URL_<MODULE> of this user and may alter ACLs; else ' +
      'give them with kafka-acls, as docs/operations.md lists them under Kafka',
    error,
  );
}

/** Whether the error, or one below it, is of that type. */
export function isOfType(error: unknown, type: string): boolean {
  return [...chain(error)].some((one) => one.type === type);
}

function* chain(error: unknown, depth = 0): Iterable<Link> {
  if (!error || typeof error !== 'object' || depth > 5) return;
  const link = error as Link;
  yield link;
  yield* chain(link.cause, depth + 1);
  for (const one of link.errors ?? []) yield* chain(one, depth + 1);
}
