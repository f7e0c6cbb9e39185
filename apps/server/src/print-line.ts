/** Prints a line for the operator. Logs go to standard output, for machines. */
export function printLine(line: string): void {
  process.stderr.write(`${line}\n`);
}
