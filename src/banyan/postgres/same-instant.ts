// Roles belong to the whole server: two databases of it that change one role at the same instant are no matter, one of them
// does it once more. Guarantee: any other error is thrown at once. It must not know what is done.

/** More in a row would be no accident. */
const MOST_TIMES = 5;

/** @param work does all of it anew each time. */
export async function atSameInstant<T>(work: () => Promise<T>): Promise<T> {
  for (let time = 1; ; time += 1) {
    try {
      return await work();
    } catch (error) {
      if (time === MOST_TIMES || !wasTouched(error)) throw error;
    }
  }
}

function wasTouched(error: unknown): boolean {
  const { code, message } = error as { code?: string; message: string };
  return code === '23505' || code === '42710' || /tuple concurrently/.test(message);
}
