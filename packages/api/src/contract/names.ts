import { z } from 'zod';

/** A name that people read, in mails too. It contains no web address: our mails would carry a stranger's link. */
export const displayName = (max: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(max, { abort: true })
    .refine((text) => !text.includes('://'), 'must not contain a web address: leave out the ://');

/**
 * Slugs and subdomains are 3 to 63 characters of [a-z0-9-], without `xn--`, so letters of other scripts cannot imitate
 * them (UTS 39). Characters that still look alike (0 o, 1 l, rn m, vv w) count as the same in the unique indexes of the
 * database (`look_alike`) and in the list below.
 */
export const NAME = /^(?!..--)[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/;

/** The service's own names, likely guesses for them, and names with a meaning in DNS or mail. */
const RESERVED = new Set(
  `about abuse account accounts admin administrator api app apps assets auth autoconfig autodiscover billing blog cdn console
  dashboard demo dev developer developers docs email example feedback files ftp health help hostmaster imap info internal
  isatap legal localhost login logout mail marketing metrics mx ns ns1 ns2 ns3 oauth openapi organization organizations owner
  payment payments pop pop3 postmaster pricing privacy redoc register rentapi root sales search security settings signin
  signup smtp sso staging static status store support sysadmin system team tenant tenants terms test trpc usage user users
  webhook webhooks webmaster wpad ws www www1 www2`
    .split(/\s+/)
    .map(lookAlike),
);

export function isReserved(name: string): boolean {
  return RESERVED.has(lookAlike(name));
}

/** The same folding as the database's `look_alike`. */
function lookAlike(name: string): string {
  return name.replaceAll('0', 'o').replaceAll('1', 'l').replaceAll('rn', 'm').replaceAll('vv', 'w');
}

/** A name made from any text, optionally with `suffix`; null if the text allows none. */
export function nameFrom(text: string, suffix = ''): string | null {
  const plain = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  const name = suffix ? `${plain || 'org'}-${suffix}` : plain;
  return NAME.test(name) && !isReserved(name) ? name : null;
}
