import type { Progress, Verification, ViewStatus } from '../../../libs/projection/maintained-view.ts';
import { columns, members } from './table.ts';

export function projectionList(views: readonly ViewStatus[]): string {
  return columns(
    ['NAME', 'VERSION', 'POSITION', 'BEHIND', 'PARKED', 'STATE'],
    views.map((view) => [
      view.name,
      String(view.serving_version),
      String(view.position ?? 0),
      view.head === null ? '?' : String(Math.max(0, view.head - (view.position ?? 0))),
      String(view.parked.length),
      stateOf(view),
    ]),
  );
}

export function projectionStatus(view: ViewStatus): string {
  const { fault, parked, rebuild, verification } = view;
  const lines = [
    members([
      ['name', view.name],
      [
        'version',
        view.serving_version === view.version
          ? String(view.version)
          : `${view.serving_version}, ${view.version} to come`,
      ],
      ['position', `${view.position ?? 0} of ${view.head ?? '?'}`],
      ['state', stateOf(view)],
      ...(fault === null ? [] : [['fault', fault] as const]),
      ...(rebuild === null ? [] : [['rebuild', progressText(rebuild)] as const]),
      ...(verification === null ? [] : [['verified', verificationText(verification)] as const]),
    ]),
  ];
  if (parked.length > 0) {
    const rows = parked.map(({ stream, revision, position, reason }) => [stream, `${revision}`, `${position}`, reason]);
    lines.push('', columns(['PARKED STREAM', 'REVISION', 'POSITION', 'REASON'], rows));
  }
  return lines.join('\n');
}

function stateOf({ fault, rebuild, verification, leading }: ViewStatus): string {
  if (fault !== null) return 'standing still';
  if (rebuild !== null) return rebuild.state === 'stopped' ? 'rebuild stopped' : 'rebuilding';
  if (verification?.state === 'running') return 'being verified';
  return leading ? 'follows the log' : 'followed by another process';
}

export function verificationText(verification: Verification): string {
  if (verification.state === 'running') return progressText(verification.progress);
  const rows = verification.tables.reduce((sum, table) => sum + table.rows, 0);
  const upTo = `${rows} rows up to position ${verification.position ?? 0}`;
  if (verification.difference === null) return `${verification.state}: ${upTo}, ${verification.at}`;
  const { table, key, what, columns: differing, counts } = verification.difference;
  const place = `${table} ${JSON.stringify(key)}`;
  const numbers = counts === undefined ? '' : ` (${counts.log} in the log, ${counts.view} in the view)`;
  const detail = what === 'different' ? `differs in ${differing.join(', ')}${numbers}` : `is ${what}`;
  return `different: ${place} ${detail}; ${upTo}, ${verification.at}`;
}

export function progressText({ share, events, events_per_second: rate, seconds_left: left, state }: Progress): string {
  const time = state === 'stopped' ? 'stopped' : left === null ? 'beginning' : `${durationText(left)} left`;
  return `${(share * 100).toFixed(1)}%, ${events} events, ${rate}/s, ${time}`;
}

const BAR_WIDTH = 30;

/** `[███████───────] 47.0%, 120000 events, 14200/s, 9 s left` */
export function progressBar(progress: Progress): string {
  const done = Math.round(progress.share * BAR_WIDTH);
  return `[${'█'.repeat(done)}${'─'.repeat(BAR_WIDTH - done)}] ${progressText(progress)}`;
}

function durationText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}
