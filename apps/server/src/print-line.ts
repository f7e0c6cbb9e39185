/** A line for the person at the terminal. Logs go to standard output, for machines. */
export function printLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
