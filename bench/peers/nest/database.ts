// The pool of a Nest application, as a provider.
import pg from 'pg';

export const DATABASE = 'DATABASE';

export interface Database {
  readonly pool: pg.Pool | undefined;
}

export const databaseAt = (connectionString: string | undefined) => ({
  provide: DATABASE,
  useValue: { pool: connectionString ? new pg.Pool({ connectionString, max: 5 }) : undefined },
});
