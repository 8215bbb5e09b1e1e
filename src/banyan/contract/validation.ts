// Input and output against their schemas. One compiled check per schema; the errors are rewritten into
// the paths and words that a client understands. It must not know which door the input came by.
import { createRequire } from 'node:module';
import type { TSchema } from 'typebox';
import type Schema from 'typebox/schema';
import { leavesFree, TOO_DEEP, tooDeep } from './depth.ts';
import { type Fault, findFaults } from './faults.ts';
import { inWords } from './fields.ts';
import { escapePointer } from './pointer.ts';
import { type FieldError, libraryProblem, type Problem } from './problem.ts';

export type InputCheck = (input: unknown) => void;

/** A compiled schema: whether a value fits, and if not, what is wrong with it. */
export interface Check {
  fits(value: unknown): boolean;
  errors(value: unknown): FieldError[];
}

const load = createRequire(import.meta.url);

/**
 * The JSON Schema half of TypeBox alone, since its whole compiler would cost 100 ms more; and with the first schema
 * that is compiled, since 235 files and 60 ms are a tenth of a start, and nothing is checked before a host serves.
 */
export function loadChecks(): typeof Schema {
  return (load('typebox/schema') as { default: typeof Schema }).default;
}

/** Compiled when the first value comes: most are never asked. */
export function compile(schema: TSchema): Check {
  let made: ReturnType<typeof Schema.Compile> | undefined;
  const validator = () => {
    made ??= loadChecks().Compile(schema as object);
    return made;
  };
  return {
    fits: (value) => validator().Check(value),
    errors: (value) =>
      fieldErrors(findFaults(schema, value, (one, inner) => loadChecks().Errors(one, inner)[1])),
  };
}

/** The 422 problem that names the fields. */
export function invalid(errors: readonly FieldError[]): Problem {
  return libraryProblem('invalid', {
    detail: 'See errors: each entry names the field and what is wrong with it.',
    errors,
  });
}

/** Throws the 422 problem with one entry per wrong field. */
export function inputCheck(schema: TSchema): InputCheck {
  const compiled = compile(schema);
  const free = leavesFree(schema);
  return (input) => {
    if (!compiled.fits(input)) throw invalid(compiled.errors(input));
    const deep = free ? tooDeep(input) : undefined;
    if (deep !== undefined) throw invalid([{ path: deep, message: TOO_DEEP }]);
  };
}

/** Throws a plain error: an output that breaks its own contract is a defect of ours, not of the caller. */
export function outputCheck(schema: TSchema, name: string): (output: unknown) => unknown {
  const compiled = compile(schema);
  return (output) => {
    if (compiled.fits(output)) return output;
    throw new Error(`${name} broke its contract: ${JSON.stringify(compiled.errors(output))}`);
  };
}

/** What was found, one entry per field, in the words of the field's owner. */
export function fieldErrors(found: readonly Fault[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  const allowed = allowedValues(found);
  const add = (path: string, message: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    errors.push({ path, message });
  };
  for (const { keyword, instancePath, params, message } of found) {
    const named = params as {
      requiredProperties?: string[];
      additionalProperties?: string[];
      pattern?: string;
    };
    if (keyword === 'required') {
      for (const name of named.requiredProperties ?? [])
        add(`${instancePath}/${escapePointer(name)}`, 'is required');
    } else if (keyword === 'additionalProperties') {
      for (const name of named.additionalProperties ?? [])
        add(`${instancePath}/${escapePointer(name)}`, 'is not a known field');
    } else if (keyword === 'boolean') {
      add(instancePath, 'is not a known field');
    } else if (keyword === 'pattern') {
      add(instancePath, inWords.get(named.pattern ?? '') ?? message);
    } else if (keyword === 'const') {
      add(instancePath, `must be ${allowed.get(instancePath)!.join(' or ')}`);
    } else if (keyword !== 'anyOf') {
      add(instancePath, message);
    }
  }
  if (errors.length === 0) for (const { instancePath, message } of found) add(instancePath, message);
  return errors;
}

/** By path, the constants that would have been right there, as JSON. */
function allowedValues(found: readonly Fault[]): Map<string, string[]> {
  const allowed = new Map<string, string[]>();
  for (const { keyword, instancePath, params } of found) {
    if (keyword !== 'const') continue;
    const values = allowed.get(instancePath) ?? [];
    allowed.set(instancePath, values);
    values.push(JSON.stringify((params as { allowedValue: unknown }).allowedValue));
  }
  return allowed;
}
