// report.json as JSON Schema, for whoever reads reports with other tools. docs/compare-report.schema.json is this text.
import { Report } from './report.ts';

export function reportSchema(): string {
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: 'https://banyan.example/compare-report.schema.json',
    title: 'What banyan compare measured, formatVersion 1',
    ...Report,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
