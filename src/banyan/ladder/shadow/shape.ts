// What a contract's schema says of a place in a value: which names are fields of it, and which leaves are no secret. A name
// that no schema has may be anybody's data, and is treated as such.
// It reads JSON Schema as contracts write it (contract/type.ts), and checks no value.

/** The schemas that may hold at one place: several where there is a union. None: nothing is known of it. */
export type Shape = readonly Node[];

interface Node {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  /** May be stored and shown as it is (contract/plain.ts). */
  readonly plain?: boolean;
}

export const unknownShape: Shape = [];

export function shapeOf(schema: object): Shape {
  const { anyOf, plain } = schema as Node;
  if (anyOf === undefined) return [schema as Node];
  const variants = anyOf.flatMap(shapeOf);
  return plain === true ? variants.map((one) => ({ ...one, plain })) : variants;
}

/** The shape of a field; undefined where no schema has a field of that name. */
export function fieldOf(shape: Shape, name: string): Shape | undefined {
  const found = shape.flatMap(({ properties }) =>
    properties !== undefined && Object.hasOwn(properties, name) ? shapeOf(properties[name]!) : [],
  );
  return found.length > 0 ? found : undefined;
}

export function itemOf(shape: Shape): Shape {
  return shape.flatMap(({ items }) => (items === undefined ? [] : shapeOf(items)));
}

/** Whether every schema that a value of this type can be of marks it `plain`. */
export function isPlain(shape: Shape, type: string): boolean {
  const fitting = shape.filter((node) => node.type === undefined || typeOf(node.type) === type);
  return fitting.length > 0 && fitting.every(({ plain }) => plain === true);
}

const typeOf = (type: string) => (type === 'integer' ? 'number' : type);

/** The type of a value in the words of JSON. */
export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}
