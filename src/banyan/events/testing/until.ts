// For tests: waits for what something else brings about, and fails when it does not come.

/** Waits until a condition that something else brings about holds; the time-out is a failure, not a pause. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
  ms = 15_000,
): Promise<void> {
  const deadline = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
