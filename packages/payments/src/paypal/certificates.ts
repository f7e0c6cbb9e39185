import { type KeyObject, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

const LEAF_NAMES = /^messageverificationcerts(\.sandbox)?\.paypal\.com$/;
const MAX_CHAIN = 5;

/**
 * The key of the first certificate of a bundle, if the bundle leads to a root that we trust, every certificate is valid
 * at that time, and the first is of PayPal's signer of events; null otherwise.
 */
export function trustedKey(
  bundle: string,
  now: Date,
  roots: readonly string[] = rootCertificates,
): { key: KeyObject; validUntil: Date } | null {
  const chain = certificatesOf(bundle);
  const [leaf] = chain;
  if (!leaf || chain.length > MAX_CHAIN || !isOfSigner(leaf)) return null;
  for (const [at, certificate] of chain.entries()) {
    if (!isValidAt(certificate, now) || (at > 0 && !certificate.ca)) return null;
    if (isRooted(certificate, roots, now)) return { key: leaf.publicKey, validUntil: new Date(leaf.validTo) };
    const next = chain[at + 1];
    if (!next || !isIssuedBy(certificate, next)) return null;
  }
  return null;
}

function certificatesOf(bundle: string): X509Certificate[] {
  const texts = bundle.match(/-----BEGIN CERTIFICATE-----[^-]{1,16384}-----END CERTIFICATE-----/g) ?? [];
  try {
    return texts.slice(0, MAX_CHAIN + 1).map((text) => new X509Certificate(text));
  } catch {
    return [];
  }
}

function isOfSigner({ subjectAltName }: X509Certificate): boolean {
  return (subjectAltName ?? '').split(', ').some((name) => LEAF_NAMES.test(name.replace(/^DNS:/, '')));
}

function isValidAt({ validFrom, validTo }: X509Certificate, now: Date): boolean {
  return Date.parse(validFrom) <= now.getTime() && now.getTime() <= Date.parse(validTo);
}

function isRooted(certificate: X509Certificate, roots: readonly string[], now: Date): boolean {
  return roots.some((text) => {
    const root = new X509Certificate(text);
    if (root.fingerprint256 === certificate.fingerprint256) return true;
    return isValidAt(root, now) && isIssuedBy(certificate, root);
  });
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}
