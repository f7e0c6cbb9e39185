import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { EXAMPLE_ORIGIN } from '@rentapi/api/transports/code-samples';
import express from 'express';
import { type SecurityHeaders, setHeaders } from '../security-headers.ts';

export interface ContractDocuments {
  /** The OpenAPI document as JSON text. */
  openapi: () => string;
  /** The AsyncAPI document as JSON text. */
  asyncapi: () => string;
}

interface DocumentOptions extends ContractDocuments {
  publicUrl: string;
  security: SecurityHeaders;
}

type Name = keyof ContractDocuments;
type Form = 'json' | 'yaml';

const TYPES: Record<Form, string> = {
  json: 'application/json; charset=utf-8',
  yaml: 'application/yaml; charset=utf-8', // RFC 9512
};

interface Representation {
  body: Buffer;
  etag: string;
}

/** Each document in both forms, with this server's address where examples need one. */
export function contractDocuments(options: DocumentOptions): express.Router {
  const router = express.Router();
  for (const name of ['openapi', 'asyncapi'] as const) addDocument(router, name, options);
  return router;
}

function addDocument(router: express.Router, name: Name, { publicUrl, security, [name]: read }: DocumentOptions): void {
  let source: string | undefined;
  const made = new Map<string, Promise<Representation>>();

  function once(key: string, make: () => Promise<Representation>): Promise<Representation> {
    const known = made.get(key) ?? make();
    made.set(key, known);
    return known;
  }

  /** Made once for each form and encoding, until the document changes. */
  function represent(form: Form, compressed: boolean): Promise<Representation> {
    const text = read();
    if (text !== source) made.clear();
    source = text;
    const plain = () => once(form, () => write(addressed(text, publicUrl), form));
    if (!compressed) return plain();
    return once(`${form}, compressed`, async () => represented(await promisify(gzip)((await plain()).body)));
  }

  for (const form of ['json', 'yaml'] as const) {
    router.get([`/${name}.${form}`, `/api/v1/${name}.${form}`], async (req, res) => {
      const compressed = req.acceptsEncodings(['gzip', 'identity']) === 'gzip';
      const { body, etag } = await represent(form, compressed);
      setHeaders(res, security.api);
      res.set({
        'Cache-Control': 'public, no-cache',
        'Content-Type': TYPES[form],
        ETag: etag,
        ...(compressed && { 'Content-Encoding': 'gzip' }),
      });
      res.vary('Accept-Encoding'); // to what the answer already varies by
      res.send(body);
    });
  }
}

function addressed(text: string, publicUrl: string): object {
  const document = JSON.parse(text.replaceAll(EXAMPLE_ORIGIN, publicUrl));
  const { host, protocol } = new URL(publicUrl);
  if (document.asyncapi)
    Object.assign(document.servers.api, { host, protocol: protocol.replace('http', 'ws').slice(0, -1) });
  return document;
}

async function write(document: object, form: Form): Promise<Representation> {
  return represented(Buffer.from(form === 'json' ? JSON.stringify(document) : await toYaml(document)));
}

function represented(body: Buffer): Representation {
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

async function toYaml(document: object): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
}
