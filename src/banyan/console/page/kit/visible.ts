// Whether somebody can see this tab: one that is hidden asks nothing and holds no connection.
import { type ReadonlySignal, signal } from './html.ts';

const seen = signal(!document.hidden);
document.addEventListener('visibilitychange', () => {
  seen.value = !document.hidden;
});

export const visible: ReadonlySignal<boolean> = seen;
