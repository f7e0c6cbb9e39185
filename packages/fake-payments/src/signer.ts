import { sign, type webcrypto } from 'node:crypto';

export interface Signer {
  /** The root that a verifier must trust, in PEM. */
  root: string;
  /** What is served: the certificate of the signer and the one between it and the root. */
  bundle: string;
  sign(text: string): string;
}

export interface SignerOptions {
  now: Date;
  /** The name in the signer's certificate. */
  dnsName?: string;
  validDays?: number;
  /** Signs with a certificate of its own, under the same names. */
  isSelfSigned?: boolean;
  /** Leaves out the certificate between the signer's and the root. */
  leavesOutIntermediate?: boolean;
  /** The signer's certificate is issued by one that may not issue any. */
  isIssuedByLeaf?: boolean;
}

const ALGORITHM = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const DAY_MS = 86_400_000;

/** An authority and a certificate of it, as PayPal signs events with. */
export async function createSigner(options: SignerOptions): Promise<Signer> {
  await import('reflect-metadata'); // x509 needs it first
  const x509 = await import('@peculiar/x509');
  const { subtle } = globalThis.crypto;
  const { now, dnsName = 'messageverificationcerts.sandbox.paypal.com', validDays = 30 } = options;
  const notBefore = new Date(now.getTime() - DAY_MS);
  let serial = 0;

  const newKeys = (): Promise<webcrypto.CryptoKeyPair> => subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);

  const issue = async (input: {
    subject: string;
    keys: webcrypto.CryptoKeyPair;
    issuer: string;
    issuerKey: webcrypto.CryptoKey;
    isAuthority: boolean;
    days: number;
    names: string[];
  }) =>
    x509.X509CertificateGenerator.create({
      serialNumber: String(++serial).padStart(2, '0'),
      subject: input.subject,
      issuer: input.issuer,
      publicKey: input.keys.publicKey,
      signingKey: input.issuerKey,
      signingAlgorithm: ALGORITHM,
      notBefore,
      notAfter: new Date(now.getTime() + input.days * DAY_MS),
      extensions: [
        new x509.BasicConstraintsExtension(input.isAuthority, undefined, true),
        ...input.names.map((value) => new x509.SubjectAlternativeNameExtension([{ type: 'dns', value }])),
      ],
    });

  const [rootKeys, middleKeys, leafKeys] = await Promise.all([newKeys(), newKeys(), newKeys()]);
  const root = await issue({
    subject: 'CN=Fake Root',
    issuer: 'CN=Fake Root',
    keys: rootKeys,
    issuerKey: rootKeys.privateKey,
    isAuthority: true,
    days: 3650,
    names: [],
  });
  const middle = await issue({
    subject: 'CN=Fake Intermediate',
    issuer: 'CN=Fake Root',
    keys: middleKeys,
    issuerKey: rootKeys.privateKey,
    isAuthority: !options.isIssuedByLeaf,
    days: 1825,
    names: [],
  });
  const leaf = await issue({
    subject: `CN=${dnsName}`,
    issuer: options.isSelfSigned ? `CN=${dnsName}` : 'CN=Fake Intermediate',
    keys: leafKeys,
    issuerKey: options.isSelfSigned ? leafKeys.privateKey : middleKeys.privateKey,
    isAuthority: false,
    days: validDays,
    names: [dnsName],
  });
  const pkcs8 = Buffer.from(await subtle.exportKey('pkcs8', leafKeys.privateKey));
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----`;
  const chain = options.isSelfSigned || options.leavesOutIntermediate ? [leaf] : [leaf, middle];
  return {
    root: root.toString('pem'),
    bundle: chain.map((certificate) => certificate.toString('pem')).join('\n'),
    sign: (text) => sign('RSA-SHA256', Buffer.from(text), key).toString('base64'),
  };
}
