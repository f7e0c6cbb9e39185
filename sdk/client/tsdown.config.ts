import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts', 'src/core.ts', 'src/guard.ts', 'src/trpc.ts', 'src/webhooks.ts'],
  format: ['esm', 'cjs'],
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  fixedExtension: false,
  sourcemap: false,
  checks: { bundlerTimings: false },
  // An editor shows them from the declarations.
  outputOptions: { comments: { jsdoc: false } },
});
