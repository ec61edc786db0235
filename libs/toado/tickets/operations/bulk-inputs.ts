import { ArrayMaxSize, ArrayNotEmpty, ArrayUnique, IsArray, IsOptional } from 'class-validator';
import { IsId } from '../../../operation/fields.ts';
import { MOST_ASSIGNEES } from '../decide.ts';
import { TicketPlacementInput } from './inputs.ts';

const MOST_TICKETS = 50;

/** One after the other, in this order. */
const IsTickets = (): PropertyDecorator => (target, property) => {
  IsArray()(target, property as string);
  ArrayNotEmpty()(target, property as string);
  ArrayMaxSize(MOST_TICKETS)(target, property as string);
  ArrayUnique()(target, property as string);
  IsId({ each: true })(target, property as string);
};

export class BulkMoveInput extends TicketPlacementInput {
  @IsTickets()
  tickets!: string[];

  @IsId()
  project!: string;

  /** Else the project's first. */
  @IsOptional()
  @IsId()
  column?: string;
}

export class BulkAssignInput {
  @IsTickets()
  tickets!: string[];

  /** Ids of members of the company. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_ASSIGNEES)
  @ArrayUnique()
  @IsId({ each: true })
  assign?: string[];

  /** Ids of people. */
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MOST_ASSIGNEES)
  @ArrayUnique()
  @IsId({ each: true })
  unassign?: string[];
}
