/** What a simulated gateway is where nothing else is asked for. A leaf, for the command's options. */
export const DEFAULT_PORT = 14_002;
export const DEFAULT_ACCOUNT = 'DU1234567';
export const DEFAULT_CASH = 1_000_000;
export const DEFAULT_SPEED = 60;
