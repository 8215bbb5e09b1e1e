// `banyan docs`: where the documentation of the running instance is; opened, when there is a desktop.
import { spawn } from 'node:child_process';
import { connect } from '../client.ts';
import type { Register } from '../register.ts';

export const docs: Register = (program, terminal) => {
  program
    .command('docs')
    .description('print where the API documentation is, and open it')
    .action(() => {
      const { url } = connect(terminal, 'docs');
      const page = new URL('/docs', url).href;
      terminal.out.write(`${page}\n`);
      if (!terminal.out.isTerminal) return;
      const opener = process.platform === 'darwin' ? 'open' : terminal.env.DISPLAY ? 'xdg-open' : undefined;
      if (opener)
        spawn(opener, [page], { stdio: 'ignore', detached: true })
          .on('error', () => {})
          .unref();
    });
};
