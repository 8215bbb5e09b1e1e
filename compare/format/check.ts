// Reads a report back: a file that somebody kept, checked against the schema before anything is said of it.
import { readFileSync } from 'node:fs';
import { compile } from '../../src/banyan/contract/validation.ts';
import { Refusal } from '../errors/refusal.ts';
import { Report } from './report.ts';

const SHOWN = 10;

/** @throws Refusal that names the file and, where fields are wrong, which. */
export function readReport(path: string): Report {
  return checkReport(parse(path), path);
}

export function checkReport(data: unknown, path: string): Report {
  const { format, formatVersion } = (data ?? {}) as { format?: unknown; formatVersion?: unknown };
  if (format !== 'banyan-compare')
    throw refusal(path, 'is not a report of banyan compare: "format" is not "banyan-compare".');
  if (formatVersion !== 1)
    throw new Refusal(
      'report-version',
      'The report is of another version',
      `${path} has formatVersion ${String(formatVersion)}; this Banyan reads 1.`,
      'Use the Banyan that wrote it.',
    );
  const check = compile(Report);
  if (check.fits(data)) return data as Report;
  const wrong = check.errors(data).slice(0, SHOWN);
  throw refusal(
    path,
    'does not fit docs/compare-report.schema.json.',
    wrong.map(({ path: at, message }) => ({ path: at, message })),
  );
}

function parse(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw refusal(path, `cannot be read: ${(error as Error).message}.`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw refusal(path, `is no JSON: ${(error as Error).message}.`);
  }
}

function refusal(path: string, what: string, errors: Refusal['errors'] = []): Refusal {
  return new Refusal(
    'report-unreadable',
    'The report cannot be read',
    `${path} ${what}`,
    'Name a report.json that banyan compare wrote.',
    errors,
  );
}
