/** `openbell prove [market]` */
import type { Argv } from 'yargs';
import { fail } from '#src/errors.js';
import { prove } from '#src/lab/prove.js';
import { PROOF_NAMES, type ProofName } from '#src/lab/prove-proofs.js';
import { proofText } from '#src/lab/prove-text.js';

interface ProveArguments {
  market: ProofName | 'all';
  seeds: number;
  steps: number;
  paths: number;
  json: boolean;
}

export default {
  command: 'prove [market]',
  describe: 'Train on markets whose best policy is known; exit 1 where a target is missed',
  builder: (yargs: Argv) =>
    yargs
      .positional('market', {
        choices: [...PROOF_NAMES, 'all'] as const,
        default: 'all' as const,
        describe: 'Which market',
      })
      .options({
        seeds: { type: 'number', default: 5, describe: 'Number of trainings, seeded 1, 2, ...' },
        steps: { type: 'number', default: 200_000, describe: 'Environment steps of each training' },
        paths: { type: 'number', default: 512, describe: 'Common paths that every policy is tried on' },
        json: { type: 'boolean', default: false, describe: 'Print JSON' },
      }),
  handler: (args: ProveArguments) => {
    if (!Number.isSafeInteger(args.seeds) || args.seeds < 1) {
      fail('USAGE', { where: '--seeds', value: args.seeds, message: 'give the number of trainings, 1 or more' });
    }
    const markets = args.market === 'all' ? PROOF_NAMES : [args.market];
    const seeds = Array.from({ length: args.seeds }, (_, i) => i + 1);
    const results = markets.map((market) => {
      const result = prove({
        market,
        seeds,
        steps: args.steps,
        paths: args.paths,
        onProgress: (message) => {
          if (process.stderr.isTTY) process.stderr.write(`${message}\n`);
        },
      });
      if (!args.json) process.stdout.write(`${proofText(result)}\n\n`);
      return result;
    });
    if (args.json) process.stdout.write(`${JSON.stringify(results, null, 2)}\n`);
    if (results.some(({ passed }) => passed === false)) process.exitCode = 1;
  },
};
