/** What the gateway says about its connections, in the words of the real one. */
export const NOTICE = {
  CONNECTIVITY_LOST: [1100, 'Connectivity between IBKR and Trader Workstation has been lost.'],
  RESTORED_DATA_LOST: [
    1101,
    'Connectivity between IBKR and Trader Workstation has been restored - data lost. Market and account data subscription requests must be resubmitted.',
  ],
  RESTORED_DATA_KEPT: [
    1102,
    'Connectivity between IBKR and Trader Workstation has been restored - data maintained. All data farms are connected: usfarm; ushmds; secdefil.',
  ],
  MARKET_DATA_BROKEN: [2103, 'Market data farm connection is broken:usfarm'],
  MARKET_DATA_OK: [2104, 'Market data farm connection is OK:usfarm'],
  HISTORICAL_BROKEN: [2105, 'HMDS data farm connection is broken:ushmds'],
  HISTORICAL_OK: [2106, 'HMDS data farm connection is OK:ushmds'],
  SERVER_LINK_BROKEN: [
    2110,
    'Connectivity between Trader Workstation and server is broken. It will be restored automatically.',
  ],
  SECDEF_OK: [2158, 'Sec-def data farm connection is OK:secdefil'],
} as const satisfies Record<string, Notice>;

/** Code and text. */
export type Notice = readonly [number, string];
