// Which database servers the doctor looks at from here, as whom, and how what belongs to pairs is called on them.
import type { Expected } from '../doctor/pairs.ts';
import { readServer, type ServerAsked, type ServerReading } from '../doctor/server-reading.ts';
import { LOG_ROLE } from '../log/postgres-schema.ts';
import { OWN, SHARED, type StoreRow } from '../placement/store-places.ts';
import { runtimeRole } from '../postgres/roles.ts';
import { linkOf, publicationOf } from '../servers/pair/moving.ts';
import { withSession } from '../servers/pair/sessions.ts';
import type { Parts } from './parts.ts';
import type { StoreServers } from './store-servers.ts';

/** Less than a check has. */
const WITHIN_MS = 2_000;

export interface ServerHere extends ServerAsked {
  readonly refusal: string | undefined;
  readonly name: string;
  /** By whom it is asked for: each module has an embedded one of its own. */
  readonly module: string;
}

/** The shared one first; it has everything that is nowhere else. */
export function serversOf(
  { allModules: modules, storeUrls }: Parts['settings'],
  places: readonly StoreRow[],
  servers: StoreServers,
): ServerHere[] {
  const subjectOf = (name: string, module: string) => (name === OWN ? `${OWN} (${module})` : name);
  const all = new Map<string, { name: string; module: string; modules: string[]; isPaired: boolean }>();
  const at = (name: string, module: string) => {
    const subject = subjectOf(name, module);
    const known = all.get(subject) ?? { name, module, modules: [], isPaired: false };
    all.set(subject, known);
    return known;
  };
  at(SHARED, modules[0] ?? SHARED);
  for (const module of modules) {
    const place = places.find((one) => one.module === module);
    const owner = at(place?.server ?? SHARED, module);
    owner.modules.push(module);
    if (!place?.pairedWith) continue;
    owner.isPaired = true;
    at(place.pairedWith, module).isPaired = true;
  }
  for (const name of Object.keys(storeUrls)) at(name, modules[0] ?? SHARED);
  return [...all].map(([subject, one]) => ({
    ...one,
    subject,
    isHere: servers.isHere(one.name),
    refusal: servers.refusal(one.module, one.name),
  }));
}

export async function readingOf({ settings, database }: Parts, asked: ServerHere): Promise<ServerReading> {
  const { name, module } = asked;
  const roles = settings.allModules.map(runtimeRole);
  if (name === SHARED) roles.push('banyan_control', LOG_ROLE);
  const server = await database.servers!.serverAt(module, name);
  return withSession(
    server,
    'doctor',
    (client) => readServer(client, asked, roles, settings.app.prisma),
    WITHIN_MS,
  );
}

/** How subscriptions, slots and publications are called that are there for good. */
export async function expectedOf(
  modules: readonly string[],
  places: readonly StoreRow[],
  moves: readonly { readonly module: string }[],
  servers: StoreServers,
): Promise<Expected> {
  const links = new Set<string>();
  const publications = new Set<string>();
  const unsure = new Set<string>();
  for (const { module, server, pairedWith } of places) {
    if (pairedWith === null) continue;
    const moving = servers.moving(module);
    publications.add(publicationOf(moving));
    if ([server, pairedWith].some((name) => servers.refusal(module, name) !== undefined)) unsure.add(module);
    else {
      const [one, other] = [
        await servers.serverAt(module, server),
        await servers.serverAt(module, pairedWith),
      ];
      links.add(linkOf(one, other, moving)).add(linkOf(other, one, moving));
    }
  }
  // Names of a pair that is not reached from here are not known here.
  const roles = modules.filter((module) => !unsure.has(module)).map(runtimeRole);
  return { links, publications, roles, unsure: [...unsure].map(runtimeRole), busy: moves.length > 0 };
}
