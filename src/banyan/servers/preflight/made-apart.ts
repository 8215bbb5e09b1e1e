// Whether a store may be made on another server than the shared one: what could never be mended afterwards, and would keep it from
// ever moving to the shared one. What can be set later the pre-flight of a move says. It changes nothing on either server.
import type pg from 'pg';
import type { Moving, ServerAt } from '../pair/moving.ts';
import { withSession } from '../pair/sessions.ts';
import type { Finding } from './finding.ts';
import { readFacts, serverFindings, unlikeFindings } from './server-facts.ts';

const FOR_EVER = ['same-server', 'version-differs', 'version-too-old', 'text-differs'];

/** @param client of the administrator on the shared server. */
export async function madeApartFindings(
  shared: { readonly server: ServerAt; readonly client: pg.Client },
  server: ServerAt,
  moving: Moving,
): Promise<Finding[]> {
  return withSession(server, `store ${moving.module}`, async (client) => {
    const [here, there] = [await readFacts(shared, moving), await readFacts({ server, client }, moving)];
    const found = [...unlikeFindings(shared.server, server, here, there), ...serverFindings(server, there)];
    return found.filter(({ code }) => FOR_EVER.includes(code));
  });
}
