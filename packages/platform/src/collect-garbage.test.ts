import { expect, it } from 'vitest';
import { collectGarbage } from './collect-garbage.ts';

it('collects what nothing refers to', async () => {
  const refs = Array.from({ length: 1000 }, () => new WeakRef({}));
  await collectGarbage();
  expect(refs.filter((ref) => ref.deref() !== undefined)).toEqual([]);
});
