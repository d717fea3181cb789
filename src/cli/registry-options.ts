/** What the registry's commands share. */
export const JSON_OPTION = { type: 'boolean', default: false, describe: 'Print JSON' } as const;
export const BUNDLE = { type: 'string', demandOption: true, describe: 'An alias, an id, or a file' } as const;
