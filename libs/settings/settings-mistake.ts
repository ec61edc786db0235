/** The settings are wrong in a way their reader can mend; the message is one clear sentence. */
export class SettingsMistake extends Error {
  override readonly name = 'SettingsMistake';
}
