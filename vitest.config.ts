import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: { conditions: ['openbell-source'] },
  ssr: { resolve: { conditions: ['openbell-source'] } },
  test: {
    include: ['env/**/*.test.ts', 'agents/**/*.test.ts', 'src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
