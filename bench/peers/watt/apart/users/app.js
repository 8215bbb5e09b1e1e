// Customers as an application of its own.
import fastify, { LogController } from 'fastify';
import pg from 'pg';
import { findUser } from '../../../work.ts';

const { DATABASE_URL } = process.env;
const db = DATABASE_URL ? new pg.Pool({ connectionString: DATABASE_URL, max: 5 }) : undefined;

export function create() {
  const app = fastify({
    loggerInstance: globalThis.platformatic?.logger,
    logController: new LogController({ disableRequestLogging: true }),
  });
  app.get('/:id', ({ params }) => findUser(params.id, db));
  return app;
}
