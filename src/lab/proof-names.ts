/** The markets whose best policy is known. A leaf, for the command's options. */
export const PROOF_NAMES = ['ou', 'ou-parity', 'leaked-future', 'random-walk', 'ou-features'] as const;
export type ProofName = (typeof PROOF_NAMES)[number];
