import { parseVerifier, type Verifier } from '../proof/note.ts';
import { type AssetsPlace, readAssetsUrl } from './assets-url.ts';
import { readScheduledExport, readSiemTargets, type ScheduledExport, type SiemTarget } from './export-settings.ts';
import { SettingsMistake } from './settings-mistake.ts';

/** What the environment says (DESIGN §6). Wrong settings stop the start with one clear sentence. */
export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  /** Each null: its embedded part. */
  readonly eventStoreUrl: string | null;
  readonly redisUrl: string | null;
  readonly databaseUrl: string | null;
  /** Where the keys of people's data lie; null: `DATA_DIR/person-keys.db`. */
  readonly personKeysUrl: string | null;
  readonly publicUrl: string;
  readonly cataloguesFolder: string | null;
  /** Whether the start that founds an embedded workspace fills it with a sample. */
  readonly sample: boolean;
  /** Null: `DATA_DIR/assets`. */
  readonly assets: AssetsPlace | null;
  /** Names, without port, this server is reached by besides those of HOST and PUBLIC_URL. */
  readonly allowedHosts: readonly string[];
  /** False: projectors write the read models, this server only reads them. */
  readonly leadsProjections: boolean;
  /** Keys that sign checkpoints; null: `DATA_DIR/signing-key`. */
  readonly signingKeyFile: string | null;
  /** Whose cosignatures are kept. */
  readonly witnesses: readonly Verifier[];
  /** Exports written into a folder, again and again; null: none. */
  readonly scheduledExport: ScheduledExport | null;
  /** Where usage is archived; null: `DATA_DIR/archives`, or nowhere where processes share a log. */
  readonly archiveFolder: string | null;
  /** Days after which a day's usage leaves the log for an archive; null: never. */
  readonly usageMaxAgeDays: number | null;
  /** Where the history is pushed to as it grows. */
  readonly siem: readonly SiemTarget[];
}

/** @throws SettingsMistake */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const port = portOf(env['PORT']);
  const host = env['HOST'] || '127.0.0.1';
  const settings: Settings = {
    port,
    host,
    dataDir: env['DATA_DIR'] || './data',
    eventStoreUrl: urlOf('EVENTSTORE_URL', env['EVENTSTORE_URL'], ['esdb:', 'esdb+discover:']),
    redisUrl: urlOf('REDIS_URL', env['REDIS_URL'], ['redis:', 'rediss:']),
    databaseUrl: urlOf('DATABASE_URL', env['DATABASE_URL'], ['postgres:', 'postgresql:']),
    personKeysUrl: urlOf('PERSON_KEYS_URL', env['PERSON_KEYS_URL'], ['postgres:', 'postgresql:']),
    publicUrl:
      urlOf('PUBLIC_URL', env['PUBLIC_URL'], ['http:', 'https:']) ??
      `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    cataloguesFolder: env['CATALOGUES'] || null,
    sample: switchOf('SAMPLE', env['SAMPLE'], true),
    assets: readAssetsUrl(env),
    allowedHosts: hostsOf(env['ALLOWED_HOSTS']),
    leadsProjections: leadsOf(env['PROJECTIONS']),
    signingKeyFile: env['SIGNING_KEY_FILE'] || null,
    witnesses: witnessesOf(env['WITNESSES']),
    scheduledExport: readScheduledExport(env),
    archiveFolder: env['ARCHIVE_FOLDER'] || null,
    usageMaxAgeDays: maxAgeOf(env['USAGE_MAX_AGE_DAYS']),
    siem: readSiemTargets(env),
  };
  // Several processes on one log need one view and one read model between them; an embedded part is each one's own.
  if (settings.eventStoreUrl !== null && (settings.redisUrl === null || settings.databaseUrl === null)) {
    throw new SettingsMistake(
      'EVENTSTORE_URL is set, so REDIS_URL and DATABASE_URL must be too: a view of its own in each process would not know what another revoked.',
    );
  }
  if (settings.eventStoreUrl !== null && settings.assets === null) {
    throw new SettingsMistake(
      'EVENTSTORE_URL is set, so ASSETS_URL must be too: a folder of its own in each process would hold files another cannot find.',
    );
  }
  if (settings.eventStoreUrl !== null && settings.personKeysUrl === null) {
    throw new SettingsMistake(
      'EVENTSTORE_URL is set, so PERSON_KEYS_URL must be too: what one process seals under keys of its own another cannot read.',
    );
  }
  if (settings.eventStoreUrl !== null && settings.usageMaxAgeDays !== null && settings.archiveFolder === null) {
    throw new SettingsMistake(
      'EVENTSTORE_URL and USAGE_MAX_AGE_DAYS are set, so ARCHIVE_FOLDER must be too: what one process archives all must read.',
    );
  }
  if (!settings.leadsProjections && settings.databaseUrl === null) {
    throw new SettingsMistake('PROJECTIONS is elsewhere, so DATABASE_URL must be set: PGlite is for one process.');
  }
  return settings;
}

/** The windows of limits and what is shown as new reach back a few days: less is never archived. @throws SettingsMistake */
function maxAgeOf(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  const days = Number(text);
  if (!/^\d{1,5}$/.test(text) || days < 7)
    throw new SettingsMistake(`USAGE_MAX_AGE_DAYS must be a number of days, 7 at least, not ${text}.`);
  return days;
}

function leadsOf(text: string | undefined): boolean {
  if (text === undefined || text === '' || text === 'here') return true;
  if (text === 'elsewhere') return false;
  throw new SettingsMistake(`PROJECTIONS must be here or elsewhere, not ${text}.`);
}

/** @throws SettingsMistake */
function switchOf(name: string, text: string | undefined, unset: boolean): boolean {
  if (text === undefined || text === '') return unset;
  if (text !== 'on' && text !== 'off') throw new SettingsMistake(`${name} must be on or off, not ${text}.`);
  return text === 'on';
}

/** Public keys of witnesses (vkeys), with spaces between. */
function witnessesOf(text: string | undefined): readonly Verifier[] {
  return (text ?? '')
    .split(/\s+/)
    .filter((key) => key !== '')
    .map((key) => {
      const witness = parseVerifier(key);
      if (witness?.type !== 'cosignature') {
        throw new SettingsMistake(`WITNESSES must hold public keys of witnesses, like name+1a2b3c4d+BA…, not ${key}.`);
      }
      return witness;
    });
}

function portOf(text: string | undefined): number {
  if (text === undefined || text === '') return 3000;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535)
    throw new SettingsMistake(`PORT must be a number from 0 to 65535, not ${text}.`);
  return port;
}

/** @throws SettingsMistake */
function hostsOf(text: string | undefined): string[] {
  const hosts = (text ?? '')
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '');
  for (const host of hosts) {
    if (!/^[a-zA-Z0-9.-]+$|^\[[0-9a-fA-F:]+\]$/.test(host)) {
      throw new SettingsMistake(`ALLOWED_HOSTS must be host names without port, separated by commas, not ${host}.`);
    }
  }
  return hosts;
}

function urlOf(name: string, text: string | undefined, schemes: readonly string[]): string | null {
  if (text === undefined || text === '') return null;
  // A cluster is several hosts in one connection string, which URL does not parse.
  const scheme = /^[a-z+]+:/.exec(text)?.[0];
  if (scheme === undefined || !schemes.includes(scheme) || !text.startsWith(`${scheme}//`)) {
    throw new SettingsMistake(`${name} must begin with ${schemes.map((known) => `${known}//`).join(' or ')}.`);
  }
  return text;
}
