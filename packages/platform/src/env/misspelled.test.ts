import { expect, it } from 'vitest';
import { findMisspelledSettings, SETTING_NAMES } from '../env.ts';

it.each([
  ['SECRET_KEYS', 'SECRET_KEY'],
  ['DATABASE_URI', 'DATABASE_URL'],
  ['database_url', 'DATABASE_URL'],
  ['REDISURL', 'REDIS_URL'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['ID_SECRET_FILES', 'ID_SECRET_FILE'],
])('asks whether %s should be %s', (name, setting) => {
  expect(findMisspelledSettings({ [name]: 'x' })).toEqual([`${name} is no setting and is ignored: is it ${setting}?`]);
});

it('says nothing of settings, nor of what other programs have', () => {
  const others = [
    'PATH',
    'HOME',
    'HOSTNAME',
    'LANG',
    'LOGNAME',
    'NODE_OPTIONS',
    'NODE_PATH',
    'NODE_VERSION',
    'PGPASSWORD',
  ];
  const all = [
    ...SETTING_NAMES,
    'SECRET_KEY_FILE',
    ...others,
    'POSTGRES_PORT_5432_TCP',
    'REDIS_PORT',
    'PORTAL',
    'SHELL',
  ];
  expect(findMisspelledSettings(Object.fromEntries(all.map((name) => [name, 'x'])))).toEqual([]);
});
