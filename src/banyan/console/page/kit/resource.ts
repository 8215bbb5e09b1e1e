// What a view shows of the host, asked again every so often while somebody looks. Guarantees: one request at a time; what was
// shown stays when an answer fails, with its age; an answer that comes too late for another path is dropped; a hidden tab asks
// nothing and asks at once when it is seen again.
import { get, Problem } from './api.ts';
import { effect, useCallback, useEffect, useRef, useState } from './html.ts';
import { visible } from './visible.ts';

export interface Resource<T> {
  readonly data: T | undefined;
  readonly problem: Problem | undefined;
  /** The first answer is not there yet. */
  readonly loading: boolean;
  /** When `data` was answered, in milliseconds since the epoch. */
  readonly at: number | undefined;
  /** Asks now; resolves when it is shown. */
  readonly reload: () => Promise<void>;
}

interface State<T> {
  readonly path: string | null;
  readonly data?: T;
  readonly problem?: Problem;
  readonly at?: number;
}

/** @param path under /admin; null: nothing is asked yet. @param everyMs absent: asked once, and at `reload`. */
export function useResource<T>(path: string | null, { everyMs }: { everyMs?: number } = {}): Resource<T> {
  const [state, setState] = useState<State<T>>({ path: null });
  const asking = useRef<AbortController | undefined>(undefined);

  const reload = useCallback(async () => {
    if (path === null) return;
    asking.current?.abort();
    const own = new AbortController();
    asking.current = own;
    try {
      const data = await get<T>(path, own.signal);
      if (!own.signal.aborted) setState({ path, data, at: Date.now() });
    } catch (error) {
      if (own.signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, 'The page failed', String(error));
      setState((before) => (before.path === path ? { ...before, problem } : { path, problem }));
    } finally {
      if (asking.current === own) asking.current = undefined;
    }
  }, [path]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let ended = false;
    const round = async () => {
      await reload();
      if (!ended && everyMs !== undefined && visible.peek()) timer = setTimeout(round, everyMs);
    };
    let begun = false;
    const stop = effect(() => {
      if (!visible.value) {
        clearTimeout(timer);
        asking.current?.abort();
      } else if (!begun || everyMs !== undefined) {
        begun = true;
        clearTimeout(timer);
        void round();
      }
    });
    return () => {
      ended = true;
      clearTimeout(timer);
      stop();
      asking.current?.abort();
    };
  }, [reload, everyMs]);

  const fits = state.path === path;
  return {
    data: fits ? state.data : undefined,
    problem: fits ? state.problem : undefined,
    loading: path !== null && (!fits || (state.data === undefined && state.problem === undefined)),
    at: fits ? state.at : undefined,
    reload,
  };
}
