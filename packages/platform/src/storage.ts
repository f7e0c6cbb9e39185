import type { Readable } from 'node:stream';

/**
 * Where files are kept: a directory here, a bucket elsewhere. A key is a path of names, such as `avatars/one/64.webp`.
 * Whether a file may be read is not decided here.
 */
export interface Storage {
  /** Resolves once the whole file is there; until then its readers find the one before, or none. */
  put(key: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void>;
  /** null where there is no such file. */
  get(key: string): Promise<StoredFile | null>;
  /** The file with this key, or all whose keys begin with it and a slash. None is no failure. */
  remove(key: string): Promise<void>;
}

export interface StoredFile {
  sizeBytes: number;
  read(): Readable;
}

const KEY = /^[a-z0-9][\w-]*(?:\/[\w-]+)*(?:\.[a-z0-9]+)?$/;

/** Keys are made by the product; this keeps a mistake there from leaving the directory. */
export function assertKey(key: string): void {
  if (key.length > 200 || !KEY.test(key)) throw new Error(`${JSON.stringify(key)} is not a key of a file`);
}
