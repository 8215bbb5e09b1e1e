// The files of the page and its shell, over HTTP: compressed where the client takes it, 304 where it has them. It knows
// nothing of what they show.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { libraryProblem } from '../contract/problem.ts';
import { openPageFiles, type PageFile } from './files.ts';
import type { ConsoleParts } from './parts.ts';
import type { ConsoleSessions } from './session.ts';
import { shellOf } from './shell.ts';
import { shownOperator, signedIn } from './sign-in.ts';
import { systemOf } from './system.ts';

export async function registerPages(
  app: FastifyInstance,
  parts: ConsoleParts,
  sessions: ConsoleSessions,
): Promise<void> {
  const { prefix } = parts;
  const { paths, imports, file: fileAt } = await openPageFiles();
  app.get(`${prefix}/assets/*`, async (request, reply) => {
    const file = await fileAt((request.params as { '*': string })['*']);
    if (!file)
      throw libraryProblem('not-found', {
        detail: 'The console has no such file; another version of it may have.',
      });
    return send(request, reply, file);
  });
  const shell = async (request: FastifyRequest, reply: FastifyReply) => {
    const who = await signedIn(request, sessions);
    const operator = who ? shownOperator(who.session.name, who.operator) : null;
    const { html, policy } = shellOf(systemOf(parts, operator), imports, paths);
    // It says who is signed in: nobody keeps it.
    reply.header('content-security-policy', policy).header('cache-control', 'no-store');
    return reply.type('text/html; charset=utf-8').send(html);
  };
  app.get(prefix, shell);
  app.get(`${prefix}/*`, shell);
}

async function send({ headers }: FastifyRequest, reply: FastifyReply, file: PageFile): Promise<FastifyReply> {
  reply.headers({ 'cache-control': file.cacheControl, etag: file.etag, vary: 'accept-encoding' });
  if (headers['if-none-match']?.includes(file.etag)) return reply.code(304).send();
  reply.type(file.type);
  const taken = String(headers['accept-encoding'] ?? '');
  for (const encoding of ['br', 'gzip'] as const)
    if (new RegExp(`\\b${encoding}\\b(?!;q=0(?:[,\\s]|$))`).test(taken))
      return reply.header('content-encoding', encoding).send(await file.as(encoding));
  return reply.send(file.plain);
}
