// Whether each server reaches the other itself: not this machine but they follow each other. It is tried with a subscription that
// is rolled back and a password that nobody has: who refuses that was reached, and nothing secret was said.
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { conninfo } from '../pair/conninfo.ts';
import type { Moving } from '../pair/moving.ts';
import type { End } from '../pair/subscription.ts';
import type { Finding } from './finding.ts';

export async function reachFindings(one: End, other: End, moving: Moving): Promise<Finding[]> {
  const found = await Promise.all([reach(one, other, moving), reach(other, one, moving)]);
  return found.filter((finding) => finding !== undefined);
}

async function reach(from: End, to: End, moving: Moving): Promise<Finding | undefined> {
  const nobody = randomBytes(16).toString('hex');
  const at = conninfo(to.server, moving, nobody);
  await from.client.query('BEGIN');
  try {
    await from.client.query(
      `CREATE SUBSCRIPTION banyan_look_${nobody.slice(0, 8)} CONNECTION ${pg.escapeLiteral(at)} PUBLICATION banyan_look
       WITH (create_slot = false, slot_name = NONE, enabled = false, copy_data = false)`,
    );
    return undefined;
  } catch (error) {
    const { message } = error as Error;
    if (/password authentication failed/.test(message)) return undefined;
    const { hostname, port } = new URL(to.server.adminUrl);
    return {
      code: 'not-reached',
      detail: `${from.server.name} does not reach ${to.server.name}: ${message}`,
      remedy: `The URL of ${to.server.name} must lead there from ${from.server.name}, too (${hostname || 'its socket'}:${port || '5432'}): name it by a host that both know, and let it in (pg_hba.conf, firewall)`,
    };
  } finally {
    await from.client.query('ROLLBACK');
  }
}
