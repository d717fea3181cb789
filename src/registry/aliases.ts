/** The names that point to a bundle. A leaf, so that a command's options know them without the registry. */
export const ALIASES = ['paper', 'live', 'challenger'] as const;
export type AliasName = (typeof ALIASES)[number];
