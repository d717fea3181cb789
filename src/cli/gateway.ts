/** `openbell gateway` */
import type { CommandModule } from 'yargs';
import { DEFAULT_ACCOUNT, DEFAULT_CASH, DEFAULT_PORT, DEFAULT_SPEED } from '#src/gateway/defaults.js';
import { MAX_SERVER_VERSION } from '#src/gateway/wire/versions.js';
import type { GatewayArguments } from './handlers/gateway.js';

export const gatewayCommand: CommandModule<object, GatewayArguments> = {
  command: 'gateway',
  describe: 'Serve a simulated Interactive Brokers gateway that replays bars',
  builder: (yargs) =>
    yargs
      .options({
        data: {
          type: 'string',
          array: true,
          demandOption: true,
          describe: 'Data sets to replay, one an instrument: name, manifest or CSV file',
        },
        speed: {
          type: 'string',
          default: String(DEFAULT_SPEED),
          describe: 'Market seconds a second, or max',
        },
        port: { type: 'number', default: DEFAULT_PORT, describe: 'TWS API port on 127.0.0.1; 0: a free one' },
        'control-port': { type: 'number', default: 0, describe: 'Control channel (HTTP); 0: a free one' },
        account: { type: 'string', default: DEFAULT_ACCOUNT, describe: 'Paper account' },
        seed: { type: 'number', default: 0, describe: 'Of the tick path' },
        faults: { type: 'string', describe: 'Fault plan (YAML)' },
        fills: {
          choices: ['path', 'backtest'] as const,
          default: 'path' as const,
          describe: 'Orders meet the tick path, or the rules of the backtest exactly',
        },
        cash: { type: 'number', default: DEFAULT_CASH, describe: "Cash at the start, in the data's currency" },
        position: {
          type: 'string',
          array: true,
          describe: 'Held at the start: SYMBOL:QUANTITY, or SYMBOL:QUANTITY@COST',
        },
        'start-at': { type: 'string', describe: 'Market time of the start, ISO 8601 with zone; default: 2nd session' },
        'max-version': { type: 'number', default: MAX_SERVER_VERSION, describe: 'Highest server version offered' },
        'message-rate': {
          type: 'number',
          default: 50,
          describe: "A client's messages a second before error 100; 0: any",
        },
        'exit-when-over': { type: 'boolean', default: false, describe: 'End when the last bar has been replayed' },
        json: { type: 'boolean', default: false, describe: 'Print where it listens as JSON' },
      })
      .example('openbell gateway --data spy_1m --speed 60', 'an hour of market in a minute, on port 14002'),
  handler: async (args) => (await import('./handlers/gateway.js')).serveGateway(args),
};
