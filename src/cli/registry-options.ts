/** What the commands of the registry share. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { Registry } from '#src/registry/registry.js';

export const openRegistry = (): Registry => new Registry(readRuntimeSettings(process.env).registryDir);
export const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
export const BUNDLE = { type: 'string', demandOption: true, describe: 'An alias, an id, or a file' } as const;
