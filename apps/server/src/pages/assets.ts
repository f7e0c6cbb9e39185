import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { observed } from '@rentapi/api/wire/observed';
import type { RequestHandler } from 'express';
import { ASSETS } from '../files.ts';
import { type BundleName, locateBundle } from './browser-bundles.ts';

const ownFiles = [
  'site.css',
  'pages.css',
  'reference.css',
  'icon.svg',
  'icon.ico',
  'copy.js',
  'search.js',
  'mailed-link.js',
  'scalar.js',
  'redoc.js',
] as const;
const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml', ico: 'image/x-icon' };

export interface Assets {
  own(file: (typeof ownFiles)[number]): string;
  bundle(name: BundleName): string;
  /** Answers `/assets/:name`; the version is in the name, so a browser may cache the answer for ever. */
  serve: RequestHandler<{ name: string }>;
}

interface Asset {
  type: string;
  body: () => Promise<Buffer>;
  gzipped: () => Promise<Buffer>;
}

export function loadAssets(): Assets {
  const served = new Map<string, Asset>();
  const add = (name: string, extension: keyof typeof types, read: () => Promise<Buffer>) => {
    const body = once(read);
    const gzipped = once(async () => promisify(gzip)(await body()));
    served.set(name, { type: extension === 'ico' ? types.ico : `${types[extension]}; charset=utf-8`, body, gzipped });
    return `/assets/${name}`;
  };

  const own = new Map<string, string>();
  for (const file of ownFiles) {
    const body = readFileSync(new URL(file, ASSETS));
    const [name = file, extension] = file.split('.');
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 12);
    own.set(
      file,
      add(`${name}-${digest}.${extension}`, extension as keyof typeof types, async () => body),
    );
  }

  const addBundle = (name: BundleName) => {
    const { fileName, read } = locateBundle(name);
    return add(fileName, 'js', read);
  };
  const bundle = { scalar: addBundle('scalar'), redoc: addBundle('redoc') };

  return {
    own: (file) => own.get(file) ?? '',
    bundle: (name) => bundle[name],
    serve: async (req, res, next) => {
      const asset = served.get(req.params.name);
      if (!asset) return next();
      observed(req).quiet = true;
      const compressed = req.acceptsEncodings(['gzip', 'identity']) === 'gzip';
      res.set({
        'Cache-Control': 'public, max-age=31536000, immutable',
        'Content-Type': asset.type,
        ETag: `W/"${req.params.name}"`,
        ...(compressed && { 'Content-Encoding': 'gzip' }),
      });
      res.vary('Accept-Encoding'); // to what the answer already varies by
      res.send(compressed ? await asset.gzipped() : await asset.body());
    },
  };
}

/** Caches the answer, but not a failure. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  return () => {
    answer ??= work().catch((error: unknown) => {
      answer = undefined;
      throw error;
    });
    return answer;
  };
}
