import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { RequestHandler } from 'express';

const ownFiles = ['pages.css', 'icon.svg', 'copy.js', 'mailed-link.js', 'scalar.js', 'redoc.js'] as const;
const types = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' };

/** The prebuilt browser bundles of the two references, next to their packages' main files. */
const bundles = {
  scalar: { package: '@scalar/api-reference', file: '../dist/browser/standalone.js' },
  redoc: { package: 'redoc', file: '../bundles/redoc.standalone.js' },
};

/** Redoc's one request to another host is its maker's logo. Redoc leaves the picture out when it does not load. */
const redocLogo = 'https://cdn.redoc.ly/redoc/logo-mini.svg';

export interface Assets {
  own(file: (typeof ownFiles)[number]): string;
  bundle(name: keyof typeof bundles): string;
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
    served.set(name, { type: `${types[extension]}; charset=utf-8`, body, gzipped });
    return `/assets/${name}`;
  };

  const own = new Map<string, string>();
  for (const file of ownFiles) {
    const body = readFileSync(new URL(`./assets/${file}`, import.meta.url));
    const [name = file, extension] = file.split('.');
    const digest = createHash('sha256').update(body).digest('hex').slice(0, 12);
    own.set(
      file,
      add(`${name}-${digest}.${extension}`, extension as keyof typeof types, async () => body),
    );
  }

  const require = createRequire(import.meta.url);
  const addBundle = (name: keyof typeof bundles) => {
    const main = join(require.resolve(bundles[name].package), '..');
    const { version } = JSON.parse(readFileSync(join(main, '../package.json'), 'utf8')) as { version: string };
    return add(`${name}-${version}.js`, 'js', async () => {
      const text = await readFile(join(main, bundles[name].file), 'utf8');
      // The source maps are not served.
      return Buffer.from(text.replace(redocLogo, 'data:,').replace(/\/\/# sourceMappingURL=\S+\s*$/, ''));
    });
  };
  const bundle = { scalar: addBundle('scalar'), redoc: addBundle('redoc') };

  return {
    own: (file) => own.get(file) ?? '',
    bundle: (name) => bundle[name],
    serve: async (req, res, next) => {
      const asset = served.get(req.params.name);
      if (!asset) return next();
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
