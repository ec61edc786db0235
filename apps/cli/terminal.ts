/** What a command sees of the world around it, so that a test can be that world. */
export class Terminal {
  constructor(
    readonly env: NodeJS.ProcessEnv,
    /** Text as given: answers only, so that a pipe gets nothing else. */
    readonly out: (text: string) => void,
    /** Warnings, reminders and refusals. */
    readonly err: (text: string) => void,
    readonly tty: { readonly out: boolean; readonly err: boolean },
    readonly columns: number,
    readonly now: () => number,
  ) {}

  static ofProcess(): Terminal {
    const { stdout, stderr } = process;
    return new Terminal(
      process.env,
      (text) => stdout.write(text),
      (text) => stderr.write(text),
      { out: stdout.isTTY === true, err: stderr.isTTY === true },
      stdout.isTTY === true ? stdout.columns : 100,
      Date.now,
    );
  }

  line(text: string): void {
    this.out(`${text}\n`);
  }

  warn(text: string): void {
    this.err(`${text}\n`);
  }
}
