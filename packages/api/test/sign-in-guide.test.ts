import { readFileSync } from 'node:fs';
import { NewPassword } from '@rentapi/api/slices/auth/schemas';
import { MAX_SESSIONS } from '@rentapi/api/slices/auth/service/sessions';
import { readEnv } from '@rentapi/platform/env';
import { expect, it } from 'vitest';

const guide = readFileSync(new URL('../../../docs/guides/sign-in.md', import.meta.url), 'utf8');

it('states the defaults of the settings that it names (V6.1.1)', () => {
  const env = new Map(Object.entries(readEnv({})));
  const stated = [...guide.matchAll(/`([A-Z_]+)` \((\d+)\)/g)];
  expect(stated.length).toBeGreaterThan(3);
  for (const [, name, value] of stated) expect([name, env.get(name!)]).toEqual([name, Number(value)]);
});

it('states the limits of sessions and passwords (V6.1.1, V7.1.1, V7.1.2)', () => {
  const { REFRESH_TOKEN_TTL_S, SESSION_MAX_AGE_S } = readEnv({});
  expect(guide).toContain(`${REFRESH_TOKEN_TTL_S / 86_400} days (\`REFRESH_TOKEN_TTL_S\`)`);
  expect(guide).toContain(`${SESSION_MAX_AGE_S / 86_400} days (\`SESSION_MAX_AGE_S\`)`);
  expect(guide).toContain(`at most ${MAX_SESSIONS}: one more ends the oldest`);
  const accepted = [7, 8, 256, 257].map((length) => NewPassword.safeParse('x'.repeat(length)).success);
  expect([guide.includes('8 to 256 characters'), accepted]).toEqual([true, [false, true, true, false]]);
});

it("says that a session outlives a provider's, and what ends it (V7.1.3, V7.6.1)", () => {
  expect(guide).toContain("When a provider's own session ends, this one goes on: end it with a logout.");
});

it('names each way in with its factors and limits, and why it locks no owner out (V6.1.1, V6.1.3)', () => {
  const table = guide.slice(guide.indexOf('## Each way in'), guide.indexOf('Strangers cannot lock'));
  const ways = [...table.matchAll(/^\| ([^|]+?) +(?:\| [^|]*[^|\s][^|]* ){3}\|$/gm)].map(([, way]) => way);
  for (const way of [
    'password',
    'code of the app',
    'backup code',
    'passkey',
    'trusted device',
    'provider',
    'mailed link for a password',
    'refresh token or cookie',
  ])
    expect(ways).toContain(way);
});
