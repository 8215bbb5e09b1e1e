// The functions of a file that do not fit on a screen: longer than 80 lines from their first to their last. Two tables
// are excepted, each told by its shape, and of them only what is not the literal counts: constants and then one returned
// literal in which no function stands, such as the SQL of a schema; and a function that is one returned call of a
// `define…` with one object, such as the steps of a saga. The functions in such an object are counted one by one. It
// reads the syntax and not the text, so that no way of writing a function escapes.
import { childrenOf, type Node, syntaxOf } from './syntax.ts';

export const MOST_LINES = 80;

export interface LongFunction {
  readonly line: number;
  readonly lines: number;
}

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
const LITERALS = new Set(['TemplateLiteral', 'ObjectExpression', 'ArrayExpression', 'Literal']);

export function longFunctions(text: string): LongFunction[] {
  const found: LongFunction[] = [];
  // Of a method the name and the parameters count as well.
  const visit = (node: Node, from = node) => {
    if (FUNCTIONS.has(node.type)) {
      const line = lineOf(text, from.start);
      const lines = lineOf(text, node.end) - line + 1;
      const table = tableOf(node);
      const inTable = table ? lineOf(text, table.end) - lineOf(text, table.start) : 0;
      if (lines - inTable > MOST_LINES) found.push({ line, lines });
    }
    const isMethod = node.type === 'MethodDefinition' || node.type === 'Property';
    for (const child of childrenOf(node)) visit(child, isMethod && child === node.value ? node : child);
  };
  visit(syntaxOf(text));
  return found;
}

/** The literal that a function returns and does little else; undefined: it does more, or something in it runs later. */
function tableOf({ body }: Node): Node | undefined {
  const returned = returnedBy(body as Node);
  if (returned && LITERALS.has(returned.type) && !hasFunction(returned)) return returned;
  return isOneStatement(body as Node) ? definedBy(returned) : undefined;
}

function isOneStatement({ type, body }: Node): boolean {
  return type !== 'BlockStatement' || (body as Node[]).length === 1;
}

/** The object that `define…({ … })` is called with; undefined: it is another call, or has more arguments. */
function definedBy(call: Node | undefined): Node | undefined {
  if (call?.type !== 'CallExpression') return undefined;
  const { name } = call.callee as Node;
  const [only, ...others] = call.arguments as Node[];
  const isDefinition = typeof name === 'string' && /^define[A-Z]/.test(name);
  return isDefinition && only?.type === 'ObjectExpression' && others.length === 0 ? only : undefined;
}

function returnedBy(body: Node): Node | undefined {
  if (body.type !== 'BlockStatement') return body;
  const statements = body.body as Node[];
  const last = statements.at(-1);
  const constants = statements
    .slice(0, -1)
    .every((one) => one.type === 'VariableDeclaration' && one.kind === 'const');
  return last?.type === 'ReturnStatement' && constants
    ? ((last.argument as Node | null) ?? undefined)
    : undefined;
}

function hasFunction(node: Node): boolean {
  return FUNCTIONS.has(node.type) || childrenOf(node).some(hasFunction);
}

function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}
