// Where telemetry of a host goes by OTLP/HTTP, by signal. Types; the environment says it (config/otlp.ts).

export const signals = ['traces', 'metrics', 'logs'] as const;
export type Signal = (typeof signals)[number];

export interface OtlpTarget {
  /** The whole URL of each signal; absent: that one stays here. */
  readonly endpoints: Readonly<Partial<Record<Signal, string>>>;
  /** Sent with each export; may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** Between two exports of metrics, in milliseconds. */
  readonly intervalMs: number;
  /** What is said of every host besides what it says itself, such as deployment.environment.name. */
  readonly attributes: Readonly<Record<string, string>>;
}
