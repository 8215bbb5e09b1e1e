// Says that nothing became worse, in the form of the real tool.
export function compareDiff(_older: string, _newer: string): void {
  const change = {
    id: 'p50',
    title: 'Median',
    what: 'B / A',
    unit: 'ms',
    primary: true,
    before: 1,
    after: 1.2,
  };
  const changes = [{ ...change, factor: 1.2, verdict: 'worse' }];
  process.stdout.write(
    `${JSON.stringify({ threshold: 1.1, notComparable: ['machine'], changes, missing: [], worse: 1, better: 0 })}\n`,
  );
  process.exitCode = 1;
}
