// Whether the window is as narrow as a phone: what stands side by side on a desk stands one under the other.
import { type ReadonlySignal, signal } from './html.ts';

const phone = matchMedia('(max-width: 640px)');
const is = signal(phone.matches);
phone.addEventListener('change', () => {
  is.value = phone.matches;
});

export const narrow: ReadonlySignal<boolean> = is;
