// A mail server that takes everything, goes away, and comes back on the same port. Just enough of SMTP.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';

export interface Post {
  readonly url: string;
  leave(): Promise<void>;
  comeBack(): Promise<void>;
}

export async function openPost(): Promise<Post> {
  const open = new Set<Socket>();
  let server: Server | undefined;
  let port = 0;
  const comeBack = async () => {
    server = createServer((socket) => {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
      take(socket);
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  };
  await comeBack();
  return {
    url: `smtp://127.0.0.1:${port}`,
    async leave() {
      const closed = new Promise((resolve) => server!.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
    },
    comeBack,
  };
}

function take(socket: Socket): void {
  let isData = false;
  let rest = '';
  socket.on('error', () => {});
  socket.setEncoding('utf8').write('220 here\r\n');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n');
    rest = lines.pop()!;
    for (const line of lines) {
      if (isData && line !== '.') continue;
      if (isData) isData = false;
      else if (/^DATA$/i.test(line)) {
        isData = true;
        socket.write('354 go on\r\n');
        continue;
      }
      socket.write(/^QUIT$/i.test(line) ? '221 bye\r\n' : '250 taken\r\n');
    }
  });
}
