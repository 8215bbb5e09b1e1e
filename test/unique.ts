// Names that no other test of a run has. It knows no shop and no test runner: rehearsals use it too.

let counter = 0;

export function unique(prefix: string): string {
  counter += 1;
  return `${prefix}-${process.pid}-${Date.now().toString(36)}-${counter}`;
}
