// `npm test`: everything that is quick. What takes minutes is named *.long.test.ts and belongs to test:all.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: ['**/*.long.test.ts', '**/node_modules/**'],
    globalSetup: ['test/ground.ts'],
    pool: 'forks',
    // Each suite runs processes of its own; more workers than cores only make them wait for one another.
    maxWorkers: 2,
    testTimeout: 40_000,
    hookTimeout: 60_000,
    reporters: ['default'],
  },
});
