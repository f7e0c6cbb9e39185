import { domainToASCII } from 'node:url';

const MAX_ADDRESS = 254;
const MAX_LOCAL = 64;
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const DOT_ATOM = new RegExp(`^${ATOM}(?:\\.${ATOM})*$`);
const NON_ASCII = /\P{ASCII}/u;
/** Refused before any conversion: `domainToASCII` reads percent signs and ports as a URL's. */
const DOMAIN_CHARACTERS = /^[\p{L}\p{M}\p{N}.。．｡-]+$/u;
/** Some scripts need them between letters; `domainToASCII` knows where. */
const JOINERS = /\u200c|\u200d/g;
const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * What is wrong with an e-mail address, as a predicate; null for a valid one. The local part is a dot-atom (RFC 5322,
 * section 3.2.3), the domain is labels of letters, digits and hyphens, or their Unicode form.
 */
export function mailAddressFault(address: string): string | null {
  if (address.length > MAX_ADDRESS) return `must have at most ${MAX_ADDRESS} characters`;
  const { local, domain } = split(address);
  if (local === '' || domain === '') return 'must be an e-mail address';
  if (local.length > MAX_LOCAL) return `must have at most ${MAX_LOCAL} characters before the @`;
  if (NON_ASCII.test(local)) return 'must have only ASCII characters before the @';
  if (!DOT_ATOM.test(local) || !DOMAIN_CHARACTERS.test(domain.normalize('NFKC').replace(JOINERS, '')))
    return 'must be an e-mail address';
  const ascii = asciiDomain(domain);
  const labels = ascii.split('.');
  if (labels.some((label) => label.length > 63))
    return 'must have at most 63 characters between two dots of its domain';
  if (local.length + 1 + ascii.length > MAX_ADDRESS) return `must have at most ${MAX_ADDRESS} characters`;
  const isDomain = labels.length > 1 && labels.every((label) => LABEL.test(label)) && !/^\d+$/.test(labels.at(-1)!);
  return isDomain ? null : 'must be an e-mail address';
}

/** The address in the form that every mail server accepts: its domain in ASCII (RFC 5890). Accounts are found by it. */
export function asciiMailAddress(address: string): string {
  if (!NON_ASCII.test(address)) return address;
  const { local, domain } = split(address);
  return `${local}@${asciiDomain(domain) || domain}`;
}

/** NFKC first: otherwise `domainToASCII` takes some forms of a letter for another domain (U+03F2 is no final sigma). */
function asciiDomain(domain: string): string {
  return domainToASCII(domain.normalize('NFKC'));
}

function split(address: string): { local: string; domain: string } {
  const at = address.lastIndexOf('@');
  return { local: address.slice(0, Math.max(at, 0)), domain: address.slice(at + 1) };
}

/** The mailbox of an address: where it is mailed, in lower case, so that every spelling finds the same account. */
export function emailKey(email: string): string {
  return asciiMailAddress(email.trim()).toLowerCase();
}
