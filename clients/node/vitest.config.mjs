import { defineConfig } from 'vitest/config';

// All tests use one emu, so files take turns.
export default defineConfig({ test: { include: ['test/*.vitest.ts'], fileParallelism: false } });
