// What a service may say to control, by whose its key is: of its own name, its own modules and its own hosts, and of
// no other. Pure; what the registry alone can tell (whose a host is) is entry.ts and heartbeat.ts.
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { audienceOf, type InternalCaller } from '../identity/internal-token.ts';
import { type KnownServices, knownBy } from '../identity/known-keys.ts';
import { refusedAddress, type ServiceNetworks } from './advertised.ts';
import type { HostReport, Registration } from './host.ts';

/** Throws the 403 problem. @param services of the present picture. */
export function admitRegistration(
  { id, modules, url }: Pick<Registration, 'id' | 'modules' | 'url'>,
  { caller, kid }: InternalCaller,
  services: KnownServices,
  networks: ServiceNetworks,
): void {
  if (audienceOf(id) !== caller)
    throw notYours(
      `${id} is no host of ${caller}, which the token is of: a key registers <name>-<n> of its own name alone. ` +
        `Set INSTANCE_ID to ${caller}-<n>, or give this process the key of ${audienceOf(id)} (banyan keys issue ${audienceOf(id)}).`,
    );
  // Of the version before every host had the one key, and said itself what it runs.
  const allowed = kid === undefined ? modules : (knownBy(services, { caller, kid })?.modules ?? []);
  const foreign = modules.filter((module) => !allowed.includes(module));
  if (foreign.length > 0)
    throw notYours(
      `The key of ${caller} is for ${allowed.join(', ') || 'no module'}, and ${id} runs ${foreign.join(', ')} as well. ` +
        `Give it a key for all of them: banyan keys issue ${caller} --modules ${modules.join(',')}.`,
    );
  const address = refusedAddress(id, url, networks);
  if (address !== undefined)
    throw libraryProblem('forbidden', { detail: address, extra: { reason: 'address-refused' } });
}

/** Of what a host counts, what is its to count: a drain waits for nobody's made-up requests. */
export function ownCounts<Report extends Pick<HostReport, 'inflight' | 'busy' | 'stores'>>(
  report: Report,
  { caller, kid }: InternalCaller,
  services: KnownServices,
): Report {
  const known = knownBy(services, { caller, kid });
  if (kid === undefined || !known) return report;
  const only = <T>(of: Readonly<Record<string, T>>, modules: readonly string[]) =>
    Object.fromEntries(Object.entries(of).filter(([module]) => modules.includes(module)));
  return {
    ...report,
    inflight: only(report.inflight, known.uses),
    busy: only(report.busy, known.modules),
    ...(report.stores && { stores: only(report.stores, known.modules) }),
  };
}

export function notYours(detail: string): Problem {
  return libraryProblem('forbidden', { detail, extra: { reason: 'not-yours' } });
}
