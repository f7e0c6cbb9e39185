import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { EXAMPLE_ORIGIN } from '@rentapi/api/transports/code-samples';
import express from 'express';
import { type SecurityHeaders, setHeaders } from '../security-headers.ts';

interface OpenApiOptions {
  /** The OpenAPI document as JSON text. */
  openapi: () => string;
  publicUrl: string;
  security: SecurityHeaders;
}

type Form = 'json' | 'yaml';

const TYPES: Record<Form, string> = {
  json: 'application/json; charset=utf-8',
  yaml: 'application/yaml; charset=utf-8', // RFC 9512
};

interface Representation {
  body: Buffer;
  etag: string;
}

/** The document in both forms, with this server's address where examples need one. */
export function openapiDocument({ openapi, publicUrl, security }: OpenApiOptions): express.Router {
  const router = express.Router();
  let source: string | undefined;
  const made = new Map<string, Promise<Representation>>();

  /** Made once for each form and encoding, until the document changes. */
  function represent(form: Form, compressed: boolean): Promise<Representation> {
    const text = openapi();
    if (text !== source) made.clear();
    source = text;
    const key = `${form} ${compressed}`;
    const known = made.get(key) ?? write(text.replaceAll(EXAMPLE_ORIGIN, publicUrl), form, compressed);
    made.set(key, known);
    return known;
  }

  for (const form of ['json', 'yaml'] as const) {
    router.get([`/openapi.${form}`, `/api/v1/openapi.${form}`], async (req, res) => {
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
  return router;
}

async function write(text: string, form: Form, compressed: boolean): Promise<Representation> {
  const plain = Buffer.from(form === 'json' ? JSON.stringify(JSON.parse(text)) : await toYaml(text));
  const body = compressed ? await promisify(gzip)(plain) : plain;
  return { body, etag: `"${createHash('sha256').update(body).digest('base64url')}"` };
}

async function toYaml(text: string): Promise<string> {
  const { stringify } = await import('yaml');
  return stringify(JSON.parse(text), { aliasDuplicateObjects: false, lineWidth: 0 });
}
