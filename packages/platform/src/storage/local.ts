import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { assertKey, type Storage } from '../storage.ts';

/** Files in a directory, which all processes must share. It is created with the first file. */
export function createLocalStorage(dir: string): Storage {
  const locate = (key: string): string => {
    assertKey(key);
    return path.join(dir, key);
  };
  return {
    async put(key, content) {
      const file = locate(key);
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
      const part = `${file}.${randomUUID()}.part`;
      try {
        const source = content instanceof Uint8Array ? [content] : content;
        await pipeline(Readable.from(source), createWriteStream(part, { flags: 'wx', mode: 0o600, flush: true }));
        await rename(part, file);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
    async get(key) {
      const file = locate(key);
      const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
        throw error;
      });
      return found?.isFile() ? { sizeBytes: found.size, read: () => createReadStream(file) } : null;
    },
    async remove(key) {
      await rm(locate(key), { recursive: true, force: true });
    },
  };
}
