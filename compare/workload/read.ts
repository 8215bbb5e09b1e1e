// A workload file from disk: read, checked, every mistake named by line and path; or a built-in one by its name.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { Value } from 'typebox/value';
import { Refusal, type Wrong } from '../errors/refusal.ts';
import { placeholders, WorkloadFile, type WorkloadKind } from './schema.ts';

export interface Workload extends WorkloadFile {
  /** Where uploads are looked for. */
  readonly folder: string;
  readonly file: string | undefined;
}

const builtinFolder = fileURLToPath(new URL('./builtin/', import.meta.url));

export function builtinWorkloads(): string[] {
  return readdirSync(builtinFolder)
    .map((file) => file.replace(/\.json$/, ''))
    .sort();
}

/** @param name a built-in workload, or a path that ends in `.json`. */
export function readWorkload(name: string, modules: readonly string[]): Workload {
  if (builtinWorkloads().includes(name)) return parse(`${builtinFolder}${name}.json`, undefined, modules);
  const path = resolve(name);
  if (!name.endsWith('.json') || !existsSync(path)) {
    throw new Refusal(
      'work-unknown',
      'There is no such work',
      name.endsWith('.json') ? `There is no file ${path}.` : `"${name}" is no built-in work.`,
      `Use ${builtinWorkloads().join(', ')}, or a file of your own: --work my.json (docs/compare.md)`,
    );
  }
  return parse(path, name, modules);
}

function parse(path: string, shown: string | undefined, modules: readonly string[]): Workload {
  const text = readFileSync(path, 'utf8');
  const place = placeIn(text, shown ?? path);
  const errors: ParseError[] = [];
  const tree = parseTree(text, errors);
  if (errors.length > 0 || !tree) {
    throw refused(
      shown ?? path,
      errors.length > 0
        ? errors.map(({ offset, error }) => ({
            path: place(offset, ''),
            message: `is not JSON: ${said(printParseErrorCode(error))}`,
          }))
        : [{ path: place(0, ''), message: 'is empty' }],
    );
  }
  const value: unknown = JSON.parse(text);
  const wrong = [
    ...mistakes(value),
    ...(Value.Check(WorkloadFile, value) ? senses(value, dirname(path), modules) : []),
  ];
  if (wrong.length > 0) {
    throw refused(
      shown ?? path,
      wrong.map(({ path: at, message }) => ({ path: place(offsetOf(tree, at), at), message })),
    );
  }
  return { ...(value as WorkloadFile), folder: dirname(path), file: shown };
}

/** What the schema says is wrong; for an unknown field its own place and not its parent's. */
function mistakes(value: unknown): Wrong[] {
  return Value.Errors(WorkloadFile, value).flatMap((error): Wrong[] => {
    const { keyword, instancePath, message, params } = error as typeof error & {
      params: { additionalProperties?: string[]; requiredProperties?: string[] };
    };
    if (keyword === 'additionalProperties')
      return (params.additionalProperties ?? []).map((name) => ({
        path: `${instancePath}/${name}`,
        message: 'is no field of a work file',
      }));
    if (keyword === 'required')
      return [{ path: instancePath, message: `lacks ${(params.requiredProperties ?? []).join(', ')}` }];
    return keyword === 'boolean' ? [] : [{ path: instancePath, message }];
  });
}

/** What a schema cannot see. */
function senses(workload: WorkloadFile, folder: string, modules: readonly string[]): Wrong[] {
  return Object.entries(workload.kinds).flatMap(([kind, one]) => {
    const at = `/kinds/${kind}`;
    const wrong: Wrong[] = [];
    const method = one.request.split(' ')[0]!;
    if (one.body !== undefined && one.upload !== undefined)
      wrong.push({ path: `${at}/upload`, message: 'stands beside body: a request has one or the other' });
    if (method === 'GET' && (one.body !== undefined || one.upload !== undefined))
      wrong.push({ path: `${at}/request`, message: 'is a GET, which has no body' });
    for (const [index, module] of (one.needs ?? []).entries()) {
      if (!modules.includes(module))
        wrong.push({
          path: `${at}/needs/${index}`,
          message: `is no module (there are ${modules.join(', ')})`,
        });
    }
    if (one.upload !== undefined && one.upload !== 'picture' && !existsSync(resolve(folder, one.upload)))
      wrong.push({ path: `${at}/upload`, message: `is no file in ${folder}` });
    for (const [path, text] of textsOf(at, one)) {
      for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
        if (name! in placeholders || (path.endsWith('/until/request') && /^answer\.\w+$/.test(name!)))
          continue;
        const known = Object.keys(placeholders).map((one) => `{${one}}`);
        wrong.push({ path, message: `has {${name}}, which stands for nothing (use ${known.join(', ')})` });
      }
    }
    return wrong;
  });
}

function textsOf(at: string, kind: WorkloadKind): [string, string][] {
  const inside = (path: string, value: unknown): [string, string][] => {
    if (typeof value === 'string') return [[path, value]];
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, one]) => inside(`${path}/${key}`, one));
  };
  return [
    [`${at}/request`, kind.request],
    ...inside(`${at}/headers`, kind.headers),
    ...inside(`${at}/body`, kind.body),
    ...(kind.until ? ([[`${at}/until/request`, kind.until.request]] as [string, string][]) : []),
  ];
}

/** Where in the text the value of that path stands; of its nearest parent when there is none. */
function offsetOf(tree: Node, path: string): number {
  const parts = path.split('/').slice(1);
  for (let length = parts.length; length >= 0; length--) {
    const at = parts.slice(0, length).map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const node = findNodeAtLocation(tree, at);
    if (node) return (node.parent?.type === 'property' ? node.parent : node).offset;
  }
  return 0;
}

function placeIn(text: string, file: string): (offset: number, path: string) => string {
  return (offset, path) =>
    `${file}:${text.slice(0, offset).split('\n').length}${path === '' ? '' : ` ${path}`}`;
}

function refused(file: string, errors: readonly Wrong[]): Refusal {
  return new Refusal(
    'work-invalid',
    'The work file is not valid',
    `${file} has ${errors.length === 1 ? 'one mistake' : `${errors.length} mistakes`}.`,
    'See docs/compare.md for what a work file may say',
    errors,
  );
}

/** `ValueExpected` in words. */
function said(code: string): string {
  return code.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
