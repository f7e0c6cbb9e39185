import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

const settle = async () => {
  for (let turn = 0; turn < 5; turn++) await nextTurn();
};

/** Work that ends when it is released. */
function held() {
  const running: string[] = [];
  const releases: (() => void)[] = [];
  const work = (name: string) => () => {
    running.push(name);
    return new Promise<string>((resolve) => releases.push(() => resolve(name)));
  };
  return { running, work, release: () => releases.shift()!() };
}

it('runs as many at once of one key as it may, and others beside them', async () => {
  const inTurn = createTurns({ atOnce: 2, maxWaiting: 10 });
  const { running, work, release } = held();
  const answers = ['a1', 'a2', 'a3', 'b1'].map((name) => inTurn(name[0]!, work(name)));
  await settle();
  expect(running).toEqual(['a1', 'a2', 'b1']);
  release();
  await settle();
  expect(running).toEqual(['a1', 'a2', 'b1', 'a3']);
  for (let left = 0; left < 3; left++) release();
  expect(await Promise.all(answers)).toEqual(['a1', 'a2', 'a3', 'b1']);
});

it('refuses more than may wait, and accepts again later', async () => {
  const inTurn = createTurns({ atOnce: 1, maxWaiting: 2 });
  const { work, release } = held();
  const first = inTurn('a', work('first'));
  const second = inTurn('a', work('second'));
  await expect(inTurn('b', work('third'))).rejects.toMatchObject({ status: 503 });
  await settle();
  release();
  await settle();
  release();
  expect(await Promise.all([first, second])).toEqual(['first', 'second']);
  expect(await inTurn('b', async () => 'fourth')).toBe('fourth');
});

it('goes on after work that fails', async () => {
  const inTurn = createTurns({ atOnce: 1, maxWaiting: 2 });
  await expect(inTurn('a', async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await inTurn('a', async () => 'yes')).toBe('yes');
});
