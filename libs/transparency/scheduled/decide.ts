import type { Decider } from '../../event-log/decide-and-append.ts';
import type { AuditExportBegun, AuditExportWritten, ScheduledExportEvent } from './events.ts';

export type ExportRange = AuditExportBegun['data'];

export type ScheduledExports = {
  /** What was written is of the leaves before it. */
  readonly nextLeaf: number;
  readonly last: AuditExportWritten['data'] | null;
} & ({ readonly status: 'idle' } | { readonly status: 'begun'; readonly range: ExportRange });

export type ScheduledExportCommand =
  | ({ readonly kind: 'begin' } & Omit<ExportRange, 'from_leaf' | 'file'> & {
        /** Name of the file of a range. */
        readonly fileOf: (fromLeaf: number, upTo: number) => string;
      })
  /** Takes over what another process began and has not finished. */
  | { readonly kind: 'take-over'; readonly upTo: number; readonly by: string; readonly at: string }
  | ({ readonly kind: 'written'; readonly by: string } & AuditExportWritten['data']);

const initialState: ScheduledExports = { status: 'idle', nextLeaf: 0, last: null };

function decide(command: ScheduledExportCommand, state: ScheduledExports): readonly ScheduledExportEvent[] {
  switch (command.kind) {
    case 'begin': {
      const { kind: _kind, fileOf, ...range } = command;
      if (state.status === 'begun' || range.up_to <= state.nextLeaf) return [];
      const from_leaf = state.nextLeaf;
      return [{ type: 'AuditExportBegun', data: { ...range, from_leaf, file: fileOf(from_leaf, range.up_to) } }];
    }
    case 'take-over': {
      if (state.status !== 'begun' || state.range.up_to !== command.upTo) return [];
      return [{ type: 'AuditExportBegun', data: { ...state.range, by: command.by, at: command.at } }];
    }
    case 'written': {
      const { kind: _kind, by, ...data } = command;
      return holds(state, data.up_to, by) ? [{ type: 'AuditExportWritten', data }] : [];
    }
    default:
      return unknownCommand(command);
  }
}

function evolve(state: ScheduledExports, event: ScheduledExportEvent): ScheduledExports {
  switch (event.type) {
    case 'AuditExportBegun':
      return { status: 'begun', nextLeaf: state.nextLeaf, last: state.last, range: event.data };
    case 'AuditExportWritten':
      return { status: 'idle', nextLeaf: event.data.up_to, last: event.data };
    default:
      return unknownEvent(event);
  }
}

/** Whether it is this process's to write. */
export const holds = (state: ScheduledExports, upTo: number, by: string): boolean =>
  state.status === 'begun' && state.range.up_to === upTo && state.range.by === by;

function unknownCommand(command: never): never {
  throw new Error(`unknown command ${JSON.stringify(command)}`);
}

function unknownEvent(event: never): never {
  throw new Error(`unknown event ${JSON.stringify(event)}`);
}

export const scheduledExportDecider: Decider<ScheduledExportCommand, ScheduledExports, ScheduledExportEvent, never> = {
  initialState,
  decide,
  evolve,
};
