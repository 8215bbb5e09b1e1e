// What a product hands to the library, and all that the library is told of it: plain data, so that a start can read
// it before the code is loaded. The library knows no module, no folder and no variable that does not stand here.
import type { Readable } from './values.ts';

/** A setting of the product, and the modules that may read it; nobody else is told it, since it may hold a password. */
export type ModuleSetting = Readable & { readonly of: readonly string[] };

export interface App {
  /** As /openapi.json and the greeting name it. */
  readonly title: string;
  readonly version: string;
  /** The folder of the modules: each has one of its own, named as the module, with contract.ts and module.ts. */
  readonly modules: URL;
  /** The folder with one folder per module: its migrations/ (and schema.prisma). */
  readonly prisma: URL;
  /** The file that is run for a module as a service of its own, by the module's name. */
  readonly service: (module: string) => URL;
  /** The module that signs the sessions and ends them, and the operation at which one begins. */
  readonly sessions?: { readonly module: string; readonly begin: string };
  /** Settings of the modules, by the name under which `module.ts` finds them; their services are told them, too. */
  readonly settings?: Readonly<Record<string, ModuleSetting>>;
  /**
   * A tool that measures two architectures on the same work: a program with its first arguments, and the works it knows
   * (admin/comparison-tool.ts says what it must do). Absent: nobody can ask for a comparison.
   */
  readonly comparison?: {
    readonly command: readonly [string, ...string[]];
    readonly works: readonly string[];
  };
  /** A module to name in examples. */
  readonly example: string;
  /** What a person is told when it is up, besides where: facts beside their labels, commands to try. */
  readonly greeting?: (at: { readonly url: string; readonly dataDir: string }) => {
    readonly facts: readonly (readonly [label: string, fact: string])[];
    readonly next: readonly string[];
  };
}
