/** What each process says of itself, for those who ask any of them. */
export interface ProcessReports {
  /** The name of this process among all. */
  readonly process: string;
  /** Reports what `describe` returns, from now on. */
  begin(describe: () => object): void;
  /** By process: of this one as it is now, of others as it was at most 15 seconds ago. */
  read(): Promise<ReadonlyMap<string, unknown>>;
  close(): Promise<void>;
}

/** For the only process. */
export function createMemoryProcessReports(process: string): ProcessReports {
  let describe: (() => object) | null = null;
  return {
    process,
    begin(next) {
      describe = next;
    },
    async read() {
      return new Map(describe ? [[process, describe()]] : []);
    },
    async close() {
      describe = null;
    },
  };
}
