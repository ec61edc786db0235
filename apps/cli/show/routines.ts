import type { RoutineView, RunDetail, RunView } from '../../../libs/routines/queries.ts';
import { columns, members } from './table.ts';

export function routineList(routines: readonly RoutineView[]): string {
  if (routines.length === 0) return 'No routines.';
  return columns(
    ['ID', 'NAME', 'STATUS', 'SCHEDULE', 'NEXT RUN', 'BY'],
    routines.map(({ id, name, status, pause, schedule, next_run_at: next, by }) => [
      id,
      name,
      pause === null ? status : `${status}: ${pause.reason}`,
      scheduleText(schedule),
      next ?? '-',
      by.label ?? '-',
    ]),
  );
}

export function routineRecord(routine: RoutineView): string {
  const { id, name, status, pause, schedule, steps, missed_slots: missed, next_run_at: next, by } = routine;
  return members([
    ['id', id],
    ['name', name],
    ['status', status],
    ...(pause === null ? [] : ([['paused', `${pause.reason} at ${pause.at} ${pause.note ?? ''}`.trimEnd()]] as const)),
    ['schedule', scheduleText(schedule)],
    ['missed slots', missed],
    ['next run', next ?? '-'],
    ['lineage', routine.lineage],
    ['by', by.text],
    ['version', String(routine.version)],
    ...steps.map(({ operation, input }, index) => [`step ${index}`, `${operation} ${JSON.stringify(input)}`] as const),
  ]);
}

export function runList(runs: readonly RunView[]): string {
  if (runs.length === 0) return 'No runs.';
  return columns(
    ['ID', 'SLOT', 'TRIGGER', 'STATUS', 'STEPS', 'TOKEN', 'WHY'],
    runs.map(({ id, slot, trigger, status, steps_done: done, token, reason, deferred }) => [
      id,
      slot,
      trigger,
      status,
      String(done),
      token.label,
      reason ?? (deferred === null ? '' : `step ${deferred.step}: ${deferred.reason}, until ${deferred.until}`),
    ]),
  );
}

export function runRecord(run: RunDetail): string {
  const rows = run.steps.map(({ step, operation, status, reason, request_id: request, at }) => [
    String(step),
    operation,
    `${status ?? '-'} ${reason ?? ''}`.trimEnd(),
    request ?? '-',
    at,
  ]);
  const steps =
    rows.length === 0 ? 'No step is done.' : columns(['STEP', 'OPERATION', 'STATUS', 'REQUEST', 'AT'], rows);
  return `${runList([run])}\n\n${steps}`;
}

const scheduleText = ({ cron, time_zone: zone }: RoutineView['schedule']): string => `${cron} ${zone}`;
