// What provisioning is told of a schema besides the stores of modules.

/** A PostgreSQL schema that is not a module's store: its owner role, its runtime role, its tables. */
export interface RoleSchema {
  readonly schema: string;
  /** The runtime role, with rights on this schema alone. */
  readonly role: string;
  /** Idempotent SQL, run as the schema's owner with the schema first in the search path. */
  readonly ddl: string;
}
