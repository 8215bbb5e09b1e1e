// What a host may ask of another, by whose its key is: a service calls the modules that its own name under `uses`, and
// speaks for its own alone; a monolith, and the gateway alone, speak for every module and for clients. It knows no
// request: the doors ask it, and refuse by its words.
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { CLOCKS_MS } from './hop.ts';
import { type InternalCaller, MONOLITH } from './internal-token.ts';
import { type KnownServices, knownBy } from './known-keys.ts';

export interface Rights {
  /** Why its operations are not called by that host; undefined: they may be. */
  refusalOfCall(who: InternalCaller, module: string): Problem | undefined;
  /** Why that host is not believed to ask for that module; undefined: it is. */
  refusalOfName(who: InternalCaller, module: string): Problem | undefined;
  /** Why that host is not believed that its call is part of a replay, in the name of that module; undefined: it is. */
  refusalOfReplay(who: InternalCaller, module: string): Problem | undefined;
  /** Why a request of a client is not taken of that host; undefined: it is. */
  refusalOfClient(who: InternalCaller): Problem | undefined;
  /** Why it is not told what a host counted; undefined: it is. */
  refusalOfStats(who: InternalCaller): Problem | undefined;
}

/**
 * @param services of the present picture. @param replays of it too: modules that are asked in the course of a replay which a
 * monolith announced, each with the time until which that holds, in milliseconds since the epoch.
 */
export function createRights(
  services: () => KnownServices,
  replays: () => Readonly<Record<string, number>> = () => ({}),
): Rights {
  return {
    refusalOfCall(who, module) {
      if (isAnybody(who)) return undefined;
      const known = knownBy(services(), who);
      if (known?.uses.includes(module) || known?.modules.includes(module)) return undefined;
      return forbidden(
        'call-not-allowed',
        `${who.caller} may not call ${module}. If it is meant to, name ${module} under \`uses\` in its module.ts.`,
      );
    },
    refusalOfName(who, module) {
      if (isAnybody(who) || module === who.caller || knownBy(services(), who)?.modules.includes(module))
        return undefined;
      return forbidden(
        'not-yours',
        `The token is of ${who.caller}, which does not run ${module} and asks in its own name alone. Leave x-caller out.`,
      );
    },
    refusalOfReplay(who, module) {
      const announced = replays();
      if (isAnybody(who) || (Object.hasOwn(announced, module) && announced[module]! > Date.now() - CLOCKS_MS))
        return undefined;
      return forbidden(
        'no-replay',
        `${who.caller} says that its call is part of a replay of past events, and no monolith announced one that asks ${module}. ` +
          'What is done for it would publish nothing.',
      );
    },
    refusalOfClient(who) {
      if (who.caller === MONOLITH) return undefined;
      return forbidden(
        'call-not-allowed',
        `Requests of clients are taken of gateways alone, and the token is of ${who.caller}. Ask by POST /calls/<module>/<operation>.`,
      );
    },
    refusalOfStats(who) {
      if (who.caller === MONOLITH) return undefined;
      return forbidden(
        'call-not-allowed',
        `What a host counted is told to monoliths and gateways alone, and the token is of ${who.caller}. Its /metrics is open to scrapers.`,
      );
    },
  };
}

/** Of the version before every host has the one key by which it could be any other. */
function isAnybody({ caller, kid }: InternalCaller): boolean {
  return caller === MONOLITH || kid === undefined;
}

function forbidden(reason: string, detail: string): Problem {
  return libraryProblem('forbidden', { detail, extra: { reason } });
}
