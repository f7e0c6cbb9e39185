/**
 * A whole sign-in over tRPC: an account, an authenticator app, and the login that asks for its code. Only the types of
 * @rentapi/contract, and @trpc/client.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { AppRouter } from '@rentapi/contract';
import { createTRPCClient, httpLink, TRPCClientError } from '@trpc/client';
import { generate } from 'otplib';

const baseUrl = process.env['RENTAPI_URL'] ?? 'http://localhost:8000';
const TOTP_STEP_S = 30;

/** A client of anyone, or of the person whose access token it has. */
const client = (accessToken?: string) =>
  createTRPCClient<AppRouter>({
    links: [
      httpLink({
        url: `${baseUrl}/trpc`,
        headers: accessToken ? { authorization: `Bearer ${accessToken}` } : {},
      }),
    ],
  });

const anyone = client();
const email = `trpc-${randomUUID()}@example.com`;
const password = `Sign-${randomUUID()}-In1`;

await anyone.auth.register.mutate({ email, password });
const first = await anyone.auth.login.mutate({ email, password });
assert('accessToken' in first, 'A new account has no second factor.');
step(`registered ${email}, and logged in with the password alone`);

const { secret } = await client(first.accessToken).auth.twoFactor.enable.mutate();
const { backupCodes } = await client(first.accessToken).auth.twoFactor.verify.mutate({ code: await codeOf(secret, 0) });
assert.equal(backupCodes.length, 10);
step('set up an authenticator app; the backup codes are shown once');

const answer = await anyone.auth.login.mutate({ email, password });
assert('mfaRequired' in answer, 'The login did not ask for the second factor.');
const { challengeToken } = answer;
assert.equal(
  await codeOfRefusal(anyone.auth.twoFactor.login.mutate({ challengeToken, code: '000000' })),
  'invalid_code',
);
step('a wrong code is refused with its code');

const tokens = await anyone.auth.twoFactor.login.mutate({ challengeToken, code: await codeOf(secret, 1) });
const me = await client(tokens.accessToken).users.me.get.query();
assert.deepEqual([me.email, me.twoFactorEnabled], [email, true]);
step('logged in with the password and a code');

await client(tokens.accessToken).auth.logout.mutate();
const refused = await codeOfRefusal(client(tokens.accessToken).users.me.get.query());
assert.equal(refused, 'session_revoked');
step('logged out');

/** What the app shows, some steps of 30 seconds from now: the server accepts the next one too. */
function codeOf(seed: string, steps: number): Promise<string> {
  return generate({ secret: seed, epoch: Math.floor(Date.now() / 1000) + steps * TOTP_STEP_S });
}

/** The `code` of the problem with which a call is refused. */
async function codeOfRefusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (!(error instanceof TRPCClientError)) throw error;
    return (error as TRPCClientError<AppRouter>).data?.problem.code;
  }
}

function step(text: string): void {
  process.stdout.write(`✓ ${text}\n`);
}
