import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BadSettingError, readEnv, SECRET_SETTINGS, SETTING_NAMES } from '../env.ts';

const directory = mkdtempSync(path.join(tmpdir(), 'rentapi-env-'));
afterAll(() => rmSync(directory, { recursive: true }));

function file(name: string, content: string): string {
  const at = path.join(directory, name);
  writeFileSync(at, content);
  return at;
}

describe('a secret from a file (V13.3.1)', () => {
  const secret = 'a secret that is long enough, 32 characters';

  it('is the content of the file, without the line break at its end', () => {
    expect(readEnv({ SECRET_KEY_FILE: file('one', `${secret}\n`) }).SECRET_KEY).toBe(secret);
    expect(readEnv({ SECRET_KEY_FILE: file('marked', `\uFEFF${secret}\r\n\n\n`) }).SECRET_KEY).toBe(secret);
    const parts = { POSTGRES_HOST: 'db', POSTGRES_PASSWORD_FILE: file('two', 'p@ss\r\n') };
    expect(
      readEnv({ ...parts, ID_SECRET: secret, PASSWORD_PEPPER: secret, SECRET_KEY: secret }).DATABASE_URL,
    ).toContain('p%40ss@');
  });

  it('is judged as the setting itself', () => {
    expect(() => readEnv({ SECRET_KEY_FILE: file('short', 'short') })).toThrow('SECRET_KEY: must have at least 32');
  });

  it.each(SECRET_SETTINGS)('is there for %s, and not twice', (name) => {
    expect(SETTING_NAMES).toContain(name);
    const both = { [name]: secret, [`${name}_FILE`]: file('both', secret) };
    expect(() => readEnv(both)).toThrow(`${name}, ${name}_FILE: set one of them, not both.`);
  });

  it('is there for every setting whose name says that it is secret', () => {
    const secrets = SETTING_NAMES.filter((name) =>
      /SECRET|PEPPER|PASSWORD|TOKEN$|API_KEY$|DSN$|_KEYS?(_OLD)?$/.test(name),
    );
    expect(SECRET_SETTINGS).toEqual(expect.arrayContaining(secrets));
  });

  it('stops the start with a sentence where it cannot be read, or holds nothing', () => {
    const missing = path.join(directory, 'missing');
    expect(() => readEnv({ ID_SECRET_FILE: missing })).toThrow(BadSettingError);
    expect(() => readEnv({ ID_SECRET_FILE: missing })).toThrow(/^ID_SECRET_FILE: cannot be read \(ENOENT.*\)\.$/);
    expect(() => readEnv({ ID_SECRET_FILE: file('empty', '\n') })).toThrow(/^ID_SECRET_FILE: .* is empty\.$/);
  });
});
