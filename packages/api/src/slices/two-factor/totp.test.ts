import { execFileSync, spawnSync } from 'node:child_process';
import { matchingStep } from '@rentapi/api/slices/two-factor/service/totp';
import { generateSecret } from 'otplib';
import { describe, expect, it } from 'vitest';

/** RFC 6238, appendix B: SHA-1, the secret `12345678901234567890`; the last six digits of each. */
const VECTORS = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
  [20000000000, '353130'],
] as const;
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (s: number) => new Date(s * 1000);
const stepOf = (s: number) => Math.floor(s / 30);

describe('codes of an authenticator app', () => {
  it.each(VECTORS)('accepts the code of RFC 6238 at %i', (time, code) => {
    expect(matchingStep(RFC_SECRET, code, at(time))).toBe(stepOf(time));
  });

  it.each(VECTORS.slice(1))(
    'accepts the code of %i one step before and after, and no further (V6.5.5)',
    (time, code) => {
      for (const steps of [-1, 0, 1]) {
        expect(matchingStep(RFC_SECRET, code, at(time + steps * 30))).toBe(stepOf(time));
      }
      for (const steps of [-2, 2]) expect(matchingStep(RFC_SECRET, code, at(time + steps * 30))).toBeNull();
    },
  );

  it.each(['', '28708', '2870820', 'abcdef', '２８７０８２', '28708 '])('does not accept %j', (code) => {
    expect(matchingStep(RFC_SECRET, code, at(59))).toBeNull();
  });

  const missing = spawnSync('oathtool', ['--version']).error !== undefined;
  if (missing && process.env['CI_REQUIRE_OATHTOOL'])
    throw new Error('CI_REQUIRE_OATHTOOL is set and there is no oathtool: apt-get install oathtool');
  it.skipIf(missing)(
    `agrees with oathtool${missing ? ': SKIPPED, because it is missing: apt-get install oathtool' : ''}`,
    () => {
      for (let time = 1_700_000_000; time < 1_700_000_020; time++) {
        const secret = generateSecret();
        const now = `${new Date(time * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
        const code = execFileSync('oathtool', ['--totp', '--base32', '--now', now, '-'], { input: secret }).toString();
        expect(matchingStep(secret, code.trim(), at(time))).toBe(stepOf(time));
      }
    },
  );
});
