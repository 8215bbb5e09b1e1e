// What a module's role may do outside of its schema: on another server there is nothing of it, and a transaction cannot reach
// over to it.

import type { Moving } from '../pair/moving.ts';
import type { End } from '../pair/subscription.ts';
import type { Finding } from './finding.ts';

/** @param exempt what stays where it is and is spoken to under a session of its own: `schema.name` or `schema.*`. */
export async function rightsOutside(
  { client }: End,
  { module, schema, runtime }: Moving,
  exempt: readonly string[],
): Promise<Finding[]> {
  const { rows } = await client.query<{ name: string; kind: string }>(
    `SELECT DISTINCT s.nspname || '.' || o.name AS name, o.kind FROM (
       SELECT relnamespace AS schema, relname AS name, relacl AS acl, 'table' AS kind FROM pg_class
       UNION ALL SELECT pronamespace, proname, proacl, 'function' FROM pg_proc
       UNION ALL SELECT typnamespace, typname, typacl, 'type' FROM pg_type) o
     JOIN pg_namespace s ON s.oid = o.schema CROSS JOIN aclexplode(o.acl) a JOIN pg_roles r ON r.oid = a.grantee
     WHERE r.rolname = $1 AND s.nspname <> $2
     UNION ALL
     SELECT g.rolname, 'role' FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member JOIN pg_roles g ON g.oid = m.roleid
     WHERE r.rolname = $1
     ORDER BY 1`,
    [runtime, schema],
  );
  const spared = (name: string) =>
    exempt.some((one) => one === name || (one.endsWith('.*') && name.startsWith(one.slice(0, -1))));
  const found = rows.filter(({ name }) => !spared(name));
  if (found.length === 0) return [];
  return [
    {
      code: 'rights-outside',
      detail: `${module} has rights outside of its schema, which it would not have on another server: ${found.map(({ name, kind }) => `${kind} ${name}`).join(', ')}`,
      remedy:
        'Let it do that by an event or by a call of the module that owns it, and take the right away (REVOKE)',
    },
  ];
}
