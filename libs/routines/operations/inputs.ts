import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsObject,
  IsOptional,
  IsString,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { IsId, IsLine } from '../../operation/fields.ts';
import { PageInput } from '../../operation/page-input.ts';
import type { MissedSlots } from '../events.ts';

const LONGEST_NAME = 80;
const MOST_STEPS = 20;
const MISSED: readonly MissedSlots[] = ['run_once', 'skip'];

export class ScheduleInput {
  /** Five fields, or a nickname like `@daily`. */
  @IsString()
  @MaxLength(120)
  cron!: string;

  /** IANA name: `Europe/Berlin`. */
  @IsString()
  @MaxLength(64)
  time_zone!: string;
}

export class StepInput {
  /** Name of an operation: `create_report`. */
  @IsString()
  @MaxLength(64)
  operation!: string;

  /** A value may be `{"$from": "steps.0.items.0.id"}`, of an earlier step's answer, or `{"$from": "run.day"}`. */
  @IsObject({ message: 'must be an object' })
  input!: Record<string, unknown>;
}

export class RoutineIdInput {
  @IsId()
  id!: string;
}

export class CreateRoutineInput {
  @IsLine(LONGEST_NAME)
  name!: string;

  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ScheduleInput)
  schedule!: ScheduleInput;

  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_STEPS)
  @IsObject({ each: true, message: 'must hold objects' })
  @ValidateNested({ each: true })
  @Type(() => StepInput)
  steps!: StepInput[];

  /** What becomes of slots that nobody was there for: the last one is run late (default), or none is. */
  @IsOptional()
  @IsIn(MISSED)
  missed_slots?: MissedSlots;
}

export class AdminCreateRoutineInput extends CreateRoutineInput {
  /** Id of the token it runs under, or of any of its lineage. */
  @IsId()
  token!: string;
}

export class UpdateRoutineInput extends RoutineIdInput {
  @ValidateIf((input: UpdateRoutineInput) => input.name !== undefined)
  @IsLine(LONGEST_NAME)
  name?: string;

  @ValidateIf((input: UpdateRoutineInput) => input.schedule !== undefined)
  @IsObject({ message: 'must be an object' })
  @ValidateNested()
  @Type(() => ScheduleInput)
  schedule?: ScheduleInput;

  @ValidateIf((input: UpdateRoutineInput) => input.steps !== undefined)
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MOST_STEPS)
  @IsObject({ each: true, message: 'must hold objects' })
  @ValidateNested({ each: true })
  @Type(() => StepInput)
  steps?: StepInput[];

  @ValidateIf((input: UpdateRoutineInput) => input.missed_slots !== undefined)
  @IsIn(MISSED)
  missed_slots?: MissedSlots;
}

export class AdminUpdateRoutineInput extends UpdateRoutineInput {
  /** Id of the token it shall run under from now on, or of any of its lineage. */
  @ValidateIf((input: AdminUpdateRoutineInput) => input.token !== undefined)
  @IsId()
  token?: string;
}

export class PauseRoutineInput extends RoutineIdInput {
  @IsOptional()
  @IsString()
  @MaxLength(500)
  note?: string;
}

export class ListRoutinesInput extends PageInput {
  @IsOptional()
  @IsIn(['active', 'paused', 'deleted'])
  status?: 'active' | 'paused' | 'deleted';
}

export class ListRunsInput extends PageInput {
  @IsId()
  id!: string;
}

export class RunIdInput extends RoutineIdInput {
  @IsId()
  run!: string;
}
