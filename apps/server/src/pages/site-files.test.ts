import { expect, it } from 'vitest';
import { startPages } from '../../test/pages-server.ts';

it('publishes the public keys of access tokens, which caches may keep for five minutes', async () => {
  const key = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', kid: 'a', alg: 'EdDSA' };
  const server = await startPages({ jwks: () => [key] });
  try {
    const response = await fetch(`${server.url}/.well-known/jwks.json`);
    expect(response.headers.get('content-type')).toBe('application/jwk-set+json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('public, max-age=300');
    expect(await response.json()).toEqual({ keys: [key] });
  } finally {
    server.close();
  }
});
