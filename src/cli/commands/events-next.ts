// The step to take after a problem of the events API, by its code.
export const nextSteps: Readonly<Record<string, string>> = {
  'letter-unknown': 'npx banyan events dead',
  'event-unknown': 'npx banyan events dead, or npx banyan events tail',
  'module-unknown': 'npx banyan events',
  'topic-unknown': 'npx banyan events',
  'not-at-rest': 'npx banyan events dead',
  'not-repairable': 'npx banyan events drop ID --why "…"',
  'not-replayable': 'Declare it in the module, deploy, and replay then',
  'replay-stopped': 'Mend the cause; npx banyan events replay --help',
  'not-parked': 'npx banyan events',
  'log-unreadable': 'npx banyan events, and npx banyan verify',
  'log-unreachable': 'npx banyan events; docs/events.md says what to do when the broker is gone',
  'store-elsewhere': 'Set BANYAN_URL to a monolith (MODULES=all)',
  invalid: 'npx banyan events --help',
};
