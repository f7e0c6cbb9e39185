import type { Context } from '../../../context.ts';

/** Loaded with the first passkey: its certificates and codecs are 9 MB of memory. */
export const webauthn = () => import('@simplewebauthn/server');

/** Where passkeys of this deployment are valid. */
export function passkeySite({ ports: { env } }: Context): { rpId: string; origins: string[] } {
  const own = [env.PUBLIC_URL, ...(env.CONSOLE_URL === undefined ? [] : [env.CONSOLE_URL])];
  return {
    rpId: env.PASSKEY_RP_ID ?? new URL(env.PUBLIC_URL).hostname,
    origins: [...own.map((url) => new URL(url).origin), ...env.CORS_ORIGINS.filter((origin) => origin !== '*')],
  };
}
