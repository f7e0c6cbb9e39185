import { expect, it } from 'vitest';
import { deviceOf } from './device.ts';

it.each([
  ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Windows', 'desktop'],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    'Safari on iOS',
    'mobile',
  ],
  ['curl/8.5.0', 'curl', null],
  ['', 'Unknown device', null],
  ['  ', 'Unknown device', null],
  [null, 'Unknown device', null],
  ['\u{1f98a}', 'Unknown device', null],
  [`Mozilla/5.0 ${'('.repeat(100_000)}`, 'Mozilla', null],
])('names the device of %j: %s', (userAgent, name, type) => {
  expect(deviceOf(userAgent)).toMatchObject({ name, type });
});
