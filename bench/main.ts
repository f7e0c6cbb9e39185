import { printVerdicts, type Verdict } from './report.ts';
import { openStage, type Stage } from './stage.ts';

interface Bench {
  run(stage: Stage): Promise<Verdict[]>;
}

/** A further bench is a file with a `run`, and a line here. */
const BENCHES: Record<string, () => Promise<Bench>> = {
  analytics: () => import('./analytics.ts'),
  auth: () => import('./auth.ts'),
  billing: () => import('./billing.ts'),
  dispatch: () => import('./dispatch.ts'),
  dispatcher: () => import('./dispatcher.ts'),
  growth: () => import('./growth.ts'),
  idle: () => import('./idle.ts'),
  invoices: () => import('./invoices.ts'),
  keys: () => import('./keys.ts'),
  lane: () => import('./lane.ts'),
  limits: () => import('./limits.ts'),
  lists: () => import('./lists.ts'),
  me: () => import('./me.ts'),
  metering: () => import('./metering.ts'),
  peers: () => import('./peers/peers.ts'),
  permissions: () => import('./permissions.ts'),
  renewals: () => import('./renewals.ts'),
  sockets: () => import('./sockets.ts'),
  usage: () => import('./usage.ts'),
  webhooks: () => import('./webhooks.ts'),
  writes: () => import('./writes.ts'),
};

/**
 * `pnpm bench [name…]`. Prints what was measured; a missed target is not a failure, because the machine may be busy.
 */
async function main(names: string[]): Promise<number> {
  const unknown = names.find((name) => !Object.hasOwn(BENCHES, name));
  if (unknown) {
    process.stderr.write(`There is no bench \`${unknown}\`: ${Object.keys(BENCHES).join(', ')}.\n`);
    return 2;
  }
  const stage = await openStage();
  try {
    const verdicts: Verdict[] = [];
    for (const name of names.length > 0 ? names : Object.keys(BENCHES)) {
      const bench = await BENCHES[name]!();
      verdicts.push(...(await bench.run(stage)));
    }
    printVerdicts(verdicts);
    return 0;
  } finally {
    await stage.close();
  }
}

process.exitCode = await main(process.argv.slice(2));
