import { describe, expect, it } from 'vitest';
import { refusalOf } from './password-policy.ts';

const surroundings = {
  hosts: ['api.lovelace-engines.example'],
  email: 'ada.byron@analytical.example',
  names: ['countess', 'Ada Lovelace', 'Engines & Sons', 'engines-sons', null, undefined],
};
const refused = async (password: string) => (await refusalOf(password, surroundings)) !== null;

describe('a new password (V6.1.2, V6.2.11)', () => {
  it.each([
    'rentapi1!',
    'RentAPI-2026',
    'rentapirentapi',
    'lovelace-engines',
    'Lovelaceengines99',
    'api.lovelace-engines.example',
    'ada.byron@analytical.example',
    'AdaByron#1815',
    'analytical',
    'Countess!!',
    'ada lovelace',
    '1815adalovelace',
    'Engines & Sons',
    '\uff32\uff45\uff4e\uff54\uff21\uff30\uff29!!', // the product's name in full width
  ])('is not %s, which is little more than a name around it', async (password) => {
    expect(await refused(password)).toBe(true);
  });

  it.each([
    'rent a quiet lamp',
    'lovelace wrote programs',
    'my countess dances',
    'analytical engine',
    'a1b2c3-rentapi',
  ])('may contain a name: %s', async (password) => {
    expect(await refused(password)).toBe(false);
  });

  it('is none of the most common ones, in any case or Unicode form (V6.2.4, V6.2.12)', async () => {
    for (const password of [
      'password123',
      'PassWord123',
      'qwertyuiop',
      '\uff50\uff41\uff53\uff53\uff57\uff4f\uff52\uff44123',
    ])
      expect(await refusalOf(password, { hosts: [], email: '', names: [] })).toMatch('most common');
  });

  it('is compared with at least 3,000 of those that are long enough', async () => {
    const { dictionary } = await import('@zxcvbn-ts/language-common');
    const long = dictionary['passwords-common'].filter((password) => password.length >= 8);
    expect(long.length).toBeGreaterThan(3000);
    expect(await Promise.all(long.map(refused))).not.toContain(false);
  });
});
