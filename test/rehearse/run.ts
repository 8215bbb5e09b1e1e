// `npm run rehearse -- <what> [options]`: what the product promises about moving modules, played through at full size on
// real processes. Alone it lists what there is. Exit 0: all held; 1: what differed was printed; 2: a word or option that
// there is not. It knows of each rehearsal its name, what it is about, and its file.

const rehearsals: Readonly<Record<string, { about: string; play: (words: string[]) => Promise<never> }>> = {
  share: {
    about: 'a share of the requests: sticky, growing, the same everywhere',
    play: async (words) => (await import('./share/command.ts')).play(words),
  },
  ladder: {
    about: 'shadows that leave nothing, a ladder to its end, and how often the judge is wrong',
    play: async (words) => (await import('./ladder/command.ts')).play(words),
  },
  store: {
    about: 'a store that moves to a server of its own and back, under load',
    play: async (words) => (await import('./store/command.ts')).play(words),
  },
  restore: {
    about: 'a shop put back to a point from a backup that was taken under orders',
    play: async (words) => (await import('./restore/command.ts')).play(words),
  },
  alarms: {
    about: 'every fault, and whether its alarm fires, names it, and ends',
    play: async (words) => (await import('./alarms/command.ts')).play(words),
  },
  hosts: {
    about: 'hosts with addresses of their own: links, clocks and names that fail, restarts',
    play: async (words) => (await import('./hosts/command.ts')).play(words),
  },
};

const usage = [
  'npm run rehearse -- <what> [options]; its options: npm run rehearse -- <what> --help',
  ...Object.entries(rehearsals).map(([name, { about }]) => `  ${name.padEnd(8)} ${about}`),
].join('\n');

const [name, ...words] = process.argv.slice(2);
if (name === undefined || name === '--help' || name === '-h') {
  process.stdout.write(`${usage}\n`);
} else if (Object.hasOwn(rehearsals, name)) {
  await rehearsals[name]!.play(words);
} else {
  process.stderr.write(
    `There is no rehearsal "${name}"; there is ${Object.keys(rehearsals).join(', ')}.\n\n${usage}\n`,
  );
  process.exitCode = 2;
}
