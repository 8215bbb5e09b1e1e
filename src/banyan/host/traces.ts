// The traces of a host: kept while the picture says so. Monoliths and gateways tell the others which are worth keeping.
import type { InternalTokens } from '../identity/internal-token.ts';
import { liveHosts } from '../placement/collect-stats.ts';
import { exchangeMarks, type TraceMarks } from '../placement/trace-marks.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Control } from './control.ts';
import type { Undo } from './undo.ts';

/** Records from the picture on that says so, as long as it says. */
export function recordAsAsked(recorder: Recorder, { follower }: Control, undo: Undo): void {
  let until = 0;
  const look = ({ recordingUntil = 0 }: { readonly recordingUntil?: number }) => {
    if (recordingUntil === until) return;
    until = recordingUntil;
    recorder.until(until);
  };
  look(follower.current);
  undo.push('traces', follower.subscribe(look));
}

/** @param host this one in the registry. */
export function openMarks(
  { recorder, control, tokens }: { recorder: Recorder; control: Control; tokens: InternalTokens },
  host: string,
  undo: Undo,
): TraceMarks {
  const others = async () => liveHosts(await control.store!.read()).filter((one) => one.host !== host);
  const marks = exchangeMarks(recorder, others, tokens);
  undo.push('marks of traces', () => marks.close());
  return marks;
}
