import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type express from 'express';

/** Sends a text that is the same for every reader, compressed once under its name, or plain. */
type SendCompressed = (exchange: Exchange, name: string, text: () => string) => Promise<void>;

export interface Exchange {
  req: express.Request;
  res: express.Response;
}

export function createCompressed(): SendCompressed {
  const made = new Map<string, Promise<Buffer>>();
  return async ({ req, res }, name, text) => {
    res.vary('Accept-Encoding'); // to what the answer already varies by
    if (req.acceptsEncodings(['gzip', 'identity']) !== 'gzip') return void res.send(text());
    const body = made.get(name) ?? promisify(gzip)(text());
    made.set(name, body);
    res.setHeader('Content-Encoding', 'gzip');
    res.send(await body);
  };
}
