import { createHmac, generateKeyPairSync, type KeyObject, randomUUID, webcrypto } from 'node:crypto';
import { createKeyring } from '@rentapi/platform/secrets';
import { readPublicKeys, readSigningKey } from '@rentapi/platform/signing-keys';
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { startApp, type TestApp } from '../../../test/app.ts';
import { toApiError } from '../../contract/problem.ts';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';

const NOW = new Date('2026-03-01T12:00:00.250Z');
const TTL_S = 900;
const issuer = 'https://api.example.com';
const claims = { sub: 'usr_1', sid: randomUUID() };
const keyring = createKeyring('a secret for the tests of signing keys');

const pair = (keys: { privateKey: KeyObject; publicKey: KeyObject }) => ({
  keys,
  privateKey: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  publicKey: keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
});
const rsa = pair(generateKeyPairSync('rsa', { modulusLength: 3072 }));
const ed = pair(generateKeyPairSync('ed25519'));
const nextEd = pair(generateKeyPairSync('ed25519'));

const base = { keyring, issuer, ttlS: TTL_S, startedAt: NOW };
const withSecret = (old: string[] = []) => createAccessTokens({ ...base, oldKeys: old.flatMap(readPublicKeys) });
const withKey = (algorithm: 'RS256' | 'EdDSA', { privateKey }: { privateKey: string }, old: string[] = []) =>
  createAccessTokens({
    ...base,
    signingKey: readSigningKey(privateKey, algorithm),
    oldKeys: old.flatMap(readPublicKeys),
  });

async function codeOf(tokens: AccessTokens, token: string, now = NOW): Promise<string> {
  try {
    const { sub, sid } = await tokens.verify(token, now);
    return sub === claims.sub && sid === claims.sid ? 'valid' : 'of another session';
  } catch (error) {
    return toApiError(error).errorCode;
  }
}

describe.each([
  ['RS256', rsa],
  ['EdDSA', ed],
] as const)('tokens signed with %s', (alg, keys) => {
  const tokens = withKey(alg, keys);

  it('are valid, verified at once, and by others with the published key', async () => {
    const token = await tokens.sign(claims, NOW);
    const verify = vi.spyOn(webcrypto.subtle, 'verify');
    expect(await codeOf(tokens, token)).toBe('valid');
    expect(verify).not.toHaveBeenCalled();
    verify.mockRestore();
    const jwks = createLocalJWKSet({ keys: [...tokens.jwks] as JWK[] });
    const { payload, protectedHeader } = await jwtVerify(token, jwks, {
      issuer,
      audience: 'rentapi',
      currentDate: NOW,
    });
    expect([protectedHeader.alg, protectedHeader.typ, payload.sub]).toEqual([alg, 'at+jwt', claims.sub]);
    expect(protectedHeader.kid).toBe(await calculateJwkThumbprint(tokens.jwks[0] as JWK));
  });

  it('are refused with one character changed, or the signature in another spelling', async () => {
    const token = await tokens.sign(claims, NOW);
    const [head, body, signature] = token.split('.') as [string, string, string];
    const other = signature[5] === 'A' ? 'B' : 'A';
    for (const changed of [
      `${head}.${body}.${signature.slice(0, 5)}${other}${signature.slice(6)}`,
      `${head}.${body.slice(0, -2)}.${signature}`,
      `${head}.${body}.${signature}=`,
      `${head}.${body}.`,
    ])
      expect(await codeOf(tokens, changed)).toBe('invalid_access_token');
  });

  it('cannot be made with the public key as a secret, without a signature, or with a key of their own', async () => {
    const payload = (await tokens.sign(claims, NOW)).split('.')[1]!;
    const { kid } = tokens.jwks[0] as { kid: string };
    const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
    const stranger = generateKeyPairSync('ed25519');
    const forgeries = [
      { alg: 'HS256', typ: 'at+jwt', kid },
      { alg: 'none', typ: 'at+jwt', kid },
      { alg, typ: 'at+jwt', kid, jwk: stranger.publicKey.export({ format: 'jwk' }) },
      { alg, typ: 'at+jwt', kid, jku: 'https://evil.example/jwks.json' },
      { alg, typ: 'at+jwt', kid: '../../dev/null' },
      { alg, typ: 'at+jwt' },
    ].map((header) => {
      const signed = `${encode(header)}.${payload}`;
      const secret = header.alg === 'HS256' ? keys.publicKey : 'a secret of the attacker';
      return `${signed}.${header.alg === 'none' ? '' : createHmac('sha256', secret).update(signed).digest('base64url')}`;
    });
    const own = await new SignJWT({ sid: claims.sid })
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid })
      .setIssuer(issuer)
      .setAudience('rentapi')
      .setSubject(claims.sub)
      .setIssuedAt(NOW)
      .setExpirationTime('15m')
      .sign(stranger.privateKey);
    for (const token of [...forgeries, own]) expect(await codeOf(tokens, token)).toBe('invalid_access_token');
  });
});

describe('rotation (V11.2.2)', () => {
  it('accepts tokens of earlier keys, and of the next one before it is used', async () => {
    const before = await withKey('EdDSA', ed).sign(claims, NOW);
    const after = await withKey('EdDSA', nextEd).sign(claims, NOW);
    expect(await codeOf(withKey('EdDSA', nextEd, [ed.publicKey]), before)).toBe('valid');
    expect(await codeOf(withKey('EdDSA', ed, [nextEd.publicKey]), after)).toBe('valid');
    expect(await codeOf(withKey('EdDSA', nextEd), before)).toBe('invalid_access_token');
    expect(withKey('RS256', rsa, [ed.publicKey, nextEd.publicKey]).jwks).toHaveLength(3);
  });

  it('from the secret to a key accepts tokens of the secret for two lifetimes, and back at any time', async () => {
    const secret = withSecret();
    const key = withKey('EdDSA', ed);
    const at = (lifetimes: number) => new Date(NOW.getTime() + lifetimes * TTL_S * 1000);
    expect(await codeOf(key, await secret.sign(claims, at(1)), at(1))).toBe('valid');
    expect(await codeOf(withKey('EdDSA', ed), await secret.sign(claims, at(2)), at(2))).toBe('invalid_access_token');
    expect(await codeOf(withSecret([ed.publicKey]), await key.sign(claims, at(9)), at(9))).toBe('valid');
    expect(secret.jwks).toEqual([]);
  });

  const SECRETS = ['the first secret key of the rotation 0123', 'the second secret key of the rotation 012'];
  const secretSteps = [
    { SECRET_KEY: SECRETS[0]! },
    { SECRET_KEY: SECRETS[0]!, SECRET_KEYS_OLD: SECRETS[1]! },
    { SECRET_KEY: SECRETS[1]!, SECRET_KEYS_OLD: SECRETS[0]! },
  ];
  const keySteps = [
    { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ed.privateKey },
    { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: ed.privateKey, JWT_PUBLIC_KEYS_OLD: nextEd.publicKey },
    { JWT_ALGORITHM: 'EdDSA', JWT_PRIVATE_KEY: nextEd.privateKey, JWT_PUBLIC_KEYS_OLD: ed.publicKey },
  ];
  const algorithmSteps = [
    {},
    { JWT_PUBLIC_KEYS_OLD: rsa.publicKey },
    { JWT_ALGORITHM: 'RS256', JWT_PRIVATE_KEY: rsa.privateKey },
  ];

  it.each<[string, Record<string, string>[]]>([
    ['a secret', secretSteps],
    ['a key pair', keySteps],
    ['the secret for a key pair', algorithmSteps],
  ])('of %s, process by process under load, refuses no request', async (_, steps) => {
    const first = await startApp(steps[0]);
    const serving: TestApp[] = [first, await startApp(steps[0], first)];
    const statuses = new Map<number, number>();
    const kids = new Set<unknown>();
    let rotating = true;
    const anyProcess = () => serving[Math.floor(Math.random() * serving.length)]!;
    const count = ({ status }: { status: number }) => statuses.set(status, (statuses.get(status) ?? 0) + 1);

    const { tokens } = await first.signUp();
    async function client(accessToken: string, refreshToken: string): Promise<void> {
      for (let call = 0; rotating; call++) {
        const headers = { authorization: `Bearer ${accessToken}` };
        count(await anyProcess().request('/api/v1/users/me', { headers }));
        if (call % 3 > 0) continue;
        const answer = await anyProcess().request('/api/v1/auth/refresh', { method: 'POST', body: { refreshToken } });
        count(answer);
        if (answer.status !== 200) return;
        ({ accessToken, refreshToken } = answer.body);
        kids.add(decodeProtectedHeader(accessToken).kid);
      }
    }
    const load = client(tokens.accessToken, tokens.refreshToken);
    const replaced: TestApp[] = [];
    try {
      for (const step of steps.slice(1)) {
        for (const at of serving.keys()) {
          replaced.push(serving[at]!);
          serving[at] = await startApp(step, first);
          const calls = () => [...statuses.values()].reduce((sum, each) => sum + each, 0);
          await vi.waitUntil(
            (
              (until) => () =>
                calls() > until
            )(calls() + 10),
            { timeout: 30_000, interval: 5 },
          );
        }
      }
    } finally {
      rotating = false;
      await load;
      for (const app of [...serving, ...replaced.filter((app) => app !== first), first]) await app.close();
    }
    expect([...statuses.keys()]).toEqual([200]);
    expect(kids.size).toBe(2);
  });
});
