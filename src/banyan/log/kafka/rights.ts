// Who may do what on the broker, as its own ACLs say it: the principal of a module writes to the topic of the module, reads
// what it listens to in the group of the module, and has no other right. Topics are made by monoliths, and so are these
// rights; making them again changes nothing. A right that somebody else gave is left alone and told of: an older
// version that still runs may need it.
import type { AclEntry, Admin } from 'kafkajs';
import type { LogLogger, LogUse } from '../port.ts';
import { isOfType } from './refusal.ts';

// The enums of kafkajs, which Node does not find by name in it.
const [TOPIC, GROUP] = [2, 3];
const [LITERAL, PREFIXED] = [3, 4];
const [ANY, ALL, READ, WRITE, DELETE, DESCRIBE] = [1, 2, 3, 4, 6, 8];
const ALLOW = 3;

export interface Principals {
  /** As whom this host speaks; undefined where it names itself to nobody. */
  readonly own: string | undefined;
  /** The users of the modules that have one of their own. */
  readonly modules: Readonly<Record<string, string>>;
  /** What the groups of consumers, and those of readers that are no consumers, are called. */
  readonly groups: { readonly of: (module: string) => string; readonly prefixes: readonly string[] };
}

export class Rights {
  readonly #principals: Principals;
  readonly #log: LogLogger;
  readonly #told = new Set<string>();

  constructor(principals: Principals, log: LogLogger) {
    this.#principals = principals;
    this.#log = log;
  }

  /** Throws when the broker does not answer. What it refuses is said once. */
  async give(admin: Admin, uses: readonly LogUse[]): Promise<void> {
    const wanted = this.#wanted(uses);
    if (wanted.length === 0) return;
    try {
      await admin.createAcls({ acl: wanted });
      await this.#tellOfOthers(admin, wanted);
    } catch (error) {
      const why = inability(error, this.#principals.own);
      if (!why) throw error;
      this.#once(why);
    }
  }

  /** Also this host's own: a broker that lets everybody where it has no ACL would let nobody else once it has one. */
  #wanted(uses: readonly LogUse[]): AclEntry[] {
    const { own, modules, groups } = this.#principals;
    const given = uses.filter(({ module }) => modules[module] !== undefined);
    if (given.length === 0 || own === undefined) return [];
    const topics = [...new Set(uses.flatMap(({ topic, reads }) => [...(topic ? [topic] : []), ...reads]))];
    const named = (use: LogUse) => {
      const who = principal(modules[use.module]!);
      return [
        ...(use.topic ? [WRITE, DESCRIBE].map((op) => acl(who, TOPIC, use.topic!, op)) : []),
        ...use.reads.flatMap((topic) => [READ, DESCRIBE].map((op) => acl(who, TOPIC, topic, op))),
        ...(use.reads.length > 0 ? [acl(who, GROUP, groups.of(use.module), READ)] : []),
      ];
    };
    const ours = principal(own);
    return [
      ...topics.map((topic) => acl(ours, TOPIC, topic, ALL)),
      ...groups.prefixes.flatMap((prefix) =>
        [READ, DELETE].map((op) => acl(ours, GROUP, prefix, op, PREFIXED)),
      ),
      ...given.flatMap(named),
    ];
  }

  /** What one of those principals, or everybody, is let do besides. */
  async #tellOfOthers(admin: Admin, wanted: readonly AclEntry[]): Promise<void> {
    const known = new Set(wanted.map(keyOf));
    const users = new Set(Object.values(this.#principals.modules).map(principal));
    for (const who of ['User:*', ...users]) {
      const found = await admin.describeAcls({
        resourceType: ANY,
        resourcePatternType: ANY,
        principal: who,
        operation: ANY,
        permissionType: ALLOW,
      });
      const more = found.resources
        .flatMap(({ acls, ...resource }) => acls.map((one) => ({ ...resource, ...one })))
        .filter((one) => !known.has(keyOf(one)));
      if (more.length > 0)
        this.#once(
          `Kafka lets ${who} do more than its module needs: ${more.map(inWords).join(', ')}. If no other ` +
            'program has this user, take it away with kafka-acls --remove.',
        );
    }
  }

  #once(text: string): void {
    if (this.#told.has(text)) return;
    this.#told.add(text);
    this.#log.warn({}, text);
  }
}

function inability(error: unknown, own: string | undefined): string | undefined {
  if (isOfType(error, 'SECURITY_DISABLED'))
    return (
      'BROKER_URL_<MODULE> are set, and the broker has no authorizer: whoever reaches it may do everything there. Set ' +
      'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer on it.'
    );
  if (isOfType(error, 'CLUSTER_AUTHORIZATION_FAILED'))
    return (
      `The broker does not let ${own} make ACLs: the rights of the modules are as they were. Let it Alter and ` +
      'Describe the cluster, or give them with kafka-acls as docs/operations.md lists them under Kafka.'
    );
  return undefined;
}

function principal(user: string): string {
  return `User:${user}`;
}

function acl(who: string, resourceType: number, resourceName: string, operation: number, pattern = LITERAL) {
  return {
    principal: who,
    host: '*',
    resourceType,
    resourceName,
    resourcePatternType: pattern,
    operation,
    permissionType: ALLOW,
  } as AclEntry;
}

function keyOf({ principal, resourceType, resourceName, resourcePatternType, operation }: AclEntry): string {
  return JSON.stringify([principal, resourceType, resourceName, resourcePatternType, operation]);
}

const resources = ['?', '?', 'topic', 'group', 'cluster', 'transactional id', 'token'];
const operations = [
  ...['?', '?', 'all', 'read', 'write', 'create', 'delete', 'alter', 'describe', 'cluster action'],
  ...['describe configs', 'alter configs', 'idempotent write'],
];

function inWords({ resourceType, resourceName, operation }: AclEntry): string {
  return `${operations[operation] ?? operation} on ${resources[resourceType] ?? resourceType} ${resourceName}`;
}
