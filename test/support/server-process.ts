import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The built server as a process of its own, as `npm start` runs it. */
export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** SIGTERM, and wait. */
  stop(): Promise<void>;
}

const START_MS = 120_000;

/** Starts `dist/apps/api/main.js` (built by `npm test`) on a free loopback port; resolves when it listens. */
export async function startServerProcess(
  env: Readonly<Record<string, string>>,
  startMs = START_MS,
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['dist/apps/api/main.js'], {
    // The sample only where a test asks for it.
    env: { ...process.env, PORT: '0', HOST: '127.0.0.1', SAMPLE: 'off', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  child.stderr.on('data', (data: Buffer) => lines.push(data.toString()));
  const url = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the server did not start:\n${lines.join('\n')}`));
    }, startMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the server ended with ${code}:\n${lines.join('\n')}`));
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      const found = /Writ listens on (\S+)/.exec(line)?.[1];
      if (found === undefined) return;
      clearTimeout(timer);
      resolve(found);
    });
  });
  return {
    url,
    child,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}
