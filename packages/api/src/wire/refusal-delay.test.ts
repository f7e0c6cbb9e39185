import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createRefusalDelay } from './refusal-delay.ts';

const openSocket = () => Object.assign(new EventEmitter(), { OPEN: 1, readyState: 1 });

async function isOver(waiting: Promise<void>): Promise<boolean> {
  let over = false;
  void waiting.then(() => {
    over = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  return over;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the delay of a refusal', () => {
  it('is one to five seconds, and differs', async () => {
    const delay = createRefusalDelay();
    const waits = Array.from({ length: 50 }, () => delay(openSocket()));
    await vi.advanceTimersByTimeAsync(999);
    expect(await Promise.all(waits.map(isOver))).not.toContain(true);
    await vi.advanceTimersByTimeAsync(2000);
    const half = await Promise.all(waits.map(isOver));
    expect([half.includes(true), half.includes(false)]).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(2001);
    expect(await Promise.all(waits.map(isOver))).not.toContain(false);
  });

  it('ends with the connection', async () => {
    const socket = openSocket();
    const wait = createRefusalDelay({ delayMs: () => 1000 })(socket);
    expect(await isOver(wait)).toBe(false);
    socket.emit('close');
    expect(await isOver(wait)).toBe(true);
  });

  it('is for a bounded number of connections: more are refused at once, until one ends', async () => {
    const delay = createRefusalDelay({ delayMs: () => 1000, maxWaiting: 2 });
    const waits = [delay(openSocket()), delay(openSocket())];
    expect(await isOver(delay(openSocket()))).toBe(true);
    await vi.advanceTimersByTimeAsync(1000);
    await Promise.all(waits);
    expect(await isOver(delay(openSocket()))).toBe(false);
  });
});
