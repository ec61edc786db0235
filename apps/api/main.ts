import { existsSync } from 'node:fs';
import { CatalogueMistake } from '../../libs/catalogue/load-catalogues.ts';
import { LogInUse } from '../../libs/event-log/sqlite/folder-lock.ts';
import { NotFounded } from '../../libs/founding/founding.ts';
import { operatorTokenFile, readOperatorToken } from '../../libs/founding/operator-token-file.ts';
import { createLogger } from '../../libs/logging/logger.ts';
import { KeysMissing } from '../../libs/privacy/open-sealed-log.ts';
import { readSettings, type Settings } from '../../libs/settings/settings.ts';
import { SettingsMistake } from '../../libs/settings/settings-mistake.ts';
import { fillSample } from '../../libs/sample/fill-sample.ts';
import { serve, type Server } from './serve.ts';

try {
  const settings = readSettings(process.env);
  const server = await serve(settings, createLogger());
  await welcome(server, settings);
  stopOn(server, 'SIGTERM');
  stopOn(server, 'SIGINT');
} catch (error) {
  // What the operator can mend is one clear sentence; anything else is a fault, with its trace.
  const known =
    error instanceof SettingsMistake ||
    error instanceof CatalogueMistake ||
    error instanceof LogInUse ||
    error instanceof NotFounded ||
    error instanceof KeysMissing;
  console.error(known ? error.message : error);
  process.exit(1);
}

async function welcome({ url, parts }: Server, settings: Settings): Promise<void> {
  const file = operatorTokenFile(settings.dataDir);
  const { tokenFile } = parts.founded;
  console.log(`Writ listens on ${url} · reference: ${url}/docs`);
  if (tokenFile !== null) {
    console.log('A workspace, its owner and an operator token were made.');
    // A terminal only: output that is kept somewhere must not hold it (P5).
    if (process.stdout.isTTY) console.log(`Operator token: ${readOperatorToken(settings.dataDir)}`);
    else console.log(`Operator token: in ${file}`);
    if (settings.sample) await showSample(url, settings);
  }
  // Who has taken the token out of the folder knows how to call.
  if (existsSync(file)) console.log(`Try: curl -s ${url}/api/v1/me -H "Authorization: Bearer $(cat ${file})"`);
}

/** Something to look at. That it failed is no reason not to serve. */
async function showSample(url: string, { dataDir }: Settings): Promise<void> {
  try {
    await fillSample(url, readOperatorToken(dataDir) ?? '');
    console.log('It holds a sample (agents, reports, a routine, tickets); SAMPLE=off starts without.');
  } catch (error) {
    console.error(`The sample is not whole; \`writ demo\` goes on with it. ${(error as Error).message}`);
  }
}

function stopOn(server: Server, signal: 'SIGTERM' | 'SIGINT'): void {
  process.once(signal, () => {
    void server.close().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error);
        process.exit(1);
      },
    );
  });
}
