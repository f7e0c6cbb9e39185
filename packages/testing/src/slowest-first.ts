import { existsSync } from 'node:fs';
import path from 'node:path';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Starts the given files before all others, in this order: one that takes half a minute must not be the last to begin.
 * The others come as Vitest orders them: by how long each took the last time, and the first time by its size.
 */
export function slowestFirst(files: readonly string[]): typeof BaseSequencer {
  const places = new Map(files.map((file, place) => [path.resolve(file), place]));
  const gone = files.filter((file) => !existsSync(file));
  if (gone.length > 0) throw new Error(`vitest.config.ts lists slow files that are not there: ${gone.join(', ')}`);
  const placeOf = ({ moduleId }: TestSpecification): number => places.get(moduleId) ?? places.size;

  return class extends BaseSequencer {
    override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
      return (await super.sort(specifications)).toSorted((a, b) => placeOf(a) - placeOf(b));
    }
  };
}
