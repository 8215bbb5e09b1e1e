// Input and output against their schemas. One compiled check per schema; the errors are rewritten into
// the paths and words that a client understands. It must not know which door the input came by.
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { type FieldError, kernelProblem } from './problem.ts';

export type InputCheck = (input: unknown) => void;

/** Throws the 422 problem with one entry per wrong field. */
export function inputCheck(schema: TSchema): InputCheck {
  const compiled = Compile(schema);
  return (input) => {
    if (compiled.Check(input)) return;
    throw kernelProblem('invalid', {
      detail: 'See errors: each entry names the field and what is wrong with it.',
      errors: fieldErrors(compiled.Errors(input)),
    });
  };
}

/** Throws a plain error: an output that breaks its own contract is a defect of ours, not of the caller. */
export function outputCheck(schema: TSchema, name: string): (output: unknown) => unknown {
  const compiled = Compile(schema);
  return (output) => {
    if (compiled.Check(output)) return output;
    throw new Error(`${name} broke its contract: ${JSON.stringify(fieldErrors(compiled.Errors(output)))}`);
  };
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** What TypeBox found, one entry per field, in the words of the field's owner. */
export function fieldErrors(found: readonly SchemaError[]): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  const add = (path: string, message: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    errors.push({ path, message });
  };
  for (const { keyword, instancePath, params, message } of found) {
    const named = params as {
      requiredProperties?: string[];
      additionalProperties?: string[];
      allowedValues?: unknown[];
    };
    if (keyword === 'required') {
      for (const name of named.requiredProperties ?? [])
        add(`${instancePath}/${escapePointer(name)}`, 'is required');
    } else if (keyword === 'additionalProperties') {
      for (const name of named.additionalProperties ?? [])
        add(`${instancePath}/${escapePointer(name)}`, 'is not a known field');
    } else if (keyword === 'boolean') {
      add(instancePath, 'is not a known field');
    } else if (keyword !== 'anyOf') {
      add(instancePath, message);
    }
  }
  if (errors.length === 0) for (const { instancePath, message } of found) add(instancePath, message);
  return errors;
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
