import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ErrorCode } from '@rentapi/api/contract/errors';
import type { IdPrefix } from '@rentapi/api/contract/ids';
import type { Caller, Fixture } from './fixture.ts';

export interface Scenario {
  caller: Caller;
  input: unknown;
}

export type Failing = (fixture: Fixture) => Promise<Scenario>;
export type Failures = Partial<Record<ErrorCode, Failing>>;

/** What `slices/<slice>/<slice>.proofs.ts` exports as `proofs`: what the generated tests cannot derive. */
export interface SliceProofs {
  /** One row of each kind with a public id, made in the fixture's organization: what a stranger might request. */
  ownedIds?: Partial<Record<IdPrefix, (fixture: Fixture) => Promise<string>>>;
  /** A call that succeeds; needed only if the example, with its ids replaced by real ones, would not. */
  scenarios?: Record<string, Failing>;
  /** The codes that a procedure declares, each with a call that is answered with it. */
  failures?: Record<string, Failures>;
}

const slices = new URL('../../src/slices/', import.meta.url);
const modules = globSync('*/*.proofs.ts', { cwd: fileURLToPath(slices) }).map(
  (file): Promise<{ proofs: SliceProofs }> => import(new URL(file, slices).href),
);

/** The proofs of every slice that has any. */
export const sliceProofs: readonly SliceProofs[] = (await Promise.all(modules)).map(({ proofs }) => proofs);
