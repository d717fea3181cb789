/** The registry that the environment names. */
import { readRuntimeSettings } from '#src/config/runtime.js';
import { Registry } from '#src/registry/registry.js';

/** Throws CONFIG_ENVIRONMENT where the environment cannot be understood. */
export const openRegistry = (): Registry => new Registry(readRuntimeSettings(process.env).registryDir);
