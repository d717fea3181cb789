/**
 * The shape of a command's module. `main.ts` holds one line a command (its name and what it does) and imports
 * the module only where that command is called, so that `openbell --help` stays quick. A module exports a
 * yargs CommandModule: its `builder` is an object or a function of yargs, its `handler` calls one function of
 * the library and prints. A handler signals failure by throwing (an OpenBellError carries its exit code), and
 * may set `process.exitCode` itself.
 */
import type { CommandModule } from 'yargs';

// A command's own argument type is known inside its module; here any of them must fit.
export type Command = Pick<CommandModule<object, object>, 'command' | 'describe' | 'builder' | 'handler'>;
