// An operator may say where a request goes, whatever the placement is, to try a side by hand: `x-banyan-side`. The router
// has followed the header already; here nothing of the request is done unless the word is one, and who asks may place.
// It holds for what the request causes, too.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { mayDo } from '../context/principal.ts';
import { isSide } from '../context/share.ts';
import { libraryProblem, type Problem } from '../contract/problem.ts';
import { noteSideAsked } from '../routing/side.ts';
import { SIDE_HEADER, sharePassedOn } from './request-share.ts';

/** After who asks is known. */
export function guardSides(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    const asked = request.headers[SIDE_HEADER] ?? sharePassedOn(request.raw)?.side;
    if (asked === undefined) done();
    else done(refusalOf(request, asked));
  });
}

/** @param asked what the router has followed, whatever became of the header since. */
function refusalOf({ principal }: FastifyRequest, asked: unknown): Problem | undefined {
  if (!isSide(asked)) {
    return libraryProblem('malformed', {
      detail: `The header ${SIDE_HEADER} says where a request goes: service or in-process, once. Leave it out to go where the placement says.`,
    });
  }
  if (!mayDo(principal, 'place')) {
    return libraryProblem('forbidden', {
      detail: `The header ${SIDE_HEADER} is for operators with the scope place. Leave it out, or have the scope granted: npx banyan operators add NAME --scope place`,
      extra: { missingScope: 'place' },
    });
  }
  noteSideAsked();
  return undefined;
}
