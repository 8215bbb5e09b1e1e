// A broker that is gone without a word. kafkajs gives each request up in time and asks again on the same connection, as
// often as it may: a path that is gone costs it a minute and a half. Guarantee: a connection on which something was asked, and
// nothing was heard for so long, is ended; whoever asks again gets a new one, and looks the name up anew.
// It must not know what was asked. One that nobody asks anything may be silent as long as it likes.
import type { Socket } from 'node:net';

/** Within that time. */
const LOOKS = 5;

/** Before anything else is on the socket: what was written when something was heard counts as answered. */
export function endWhenSilent(socket: Socket, afterMs: number): void {
  let answered = 0;
  let waitsSince: number | undefined;
  socket.on('data', () => {
    answered = socket.bytesWritten;
    waitsSince = undefined;
  });
  // Not by the socket's own time-out: kafkajs takes that for a connection that was never made, and ends idle ones.
  const looks = setInterval(() => {
    if (socket.bytesWritten === answered) return;
    waitsSince ??= performance.now();
    if (performance.now() - waitsSince < afterMs) return;
    const words = `The broker has been silent for ${afterMs / 1000} s`;
    socket.destroy(Object.assign(new Error(words), { code: 'ETIMEDOUT' }));
  }, afterMs / LOOKS).unref();
  socket.once('close', () => clearInterval(looks));
}
