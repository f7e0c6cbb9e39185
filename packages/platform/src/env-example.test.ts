import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readEnv, SETTING_NAMES } from './env.ts';

/** `.env.example`: the purpose of each setting, and its default. */
const text = readFileSync(new URL('../../../.env.example', import.meta.url), 'utf8');
const listed = [...text.matchAll(/^(?:# (.+)\n)?([A-Z0-9_]+)=(.*)$/gm)].map(([, meaning, name, value]) => ({
  name: name!,
  value: value!,
  meaning,
}));

describe('.env.example', () => {
  it('lists every existing setting once, and no other', () => {
    expect(listed.map(({ name }) => name).sort()).toEqual([...SETTING_NAMES].sort());
  });

  it.each(listed)('explains in a line what $name is for', ({ meaning }) => {
    expect(meaning).toBeDefined();
  });

  it.each(listed.filter(({ value }) => value !== ''))('gives the default of $name', ({ name, value }) => {
    expect(readEnv({ [name]: value })).toEqual(readEnv({}));
  });

  it.each(listed.filter(({ value }) => value === ''))(
    'gives no default of $name, which has none of its own',
    ({ name }) => {
      const value = readEnv({})[name as keyof ReturnType<typeof readEnv>];
      const dependent = [
        'PUBLIC_URL',
        'SECURITY_CONTACT',
        'SHUTDOWN_GRACE_MS',
        'REQUIRE_EMAIL_VERIFICATION',
        'REQUIRE_STAFF_TWO_FACTOR',
        'CORS_ORIGINS',
        'SEED_DEMO',
      ];
      if (dependent.includes(name)) expect(value).toBeDefined();
      else expect(value ?? []).toEqual([]);
    },
  );

  it('is valid as it is', () => {
    expect(readEnv(Object.fromEntries(listed.map(({ name, value }) => [name, value])))).toEqual(readEnv({}));
  });
});
