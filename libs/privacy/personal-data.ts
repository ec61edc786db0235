import type { NewEvent } from '../event-log/event-log.ts';

/**
 * Which values of an event say something about a person, and about whom. What people write (a report's body, a note, the
 * name of a routine) is content, not personal data in this sense; ids stay, since they name nobody once the name is gone.
 */
interface PersonalValue {
  /** Where the text is: `owner.name`; `assignees.*.name` for that of each. */
  readonly at: string;
  /**
   * Where the id of the person is whom it tells of, in the same part of the event; `*` stands for the same place as in
   * `at`. Or how else it is known: the actor of the event, the person whose stream it is.
   */
  readonly of: string;
}

const ACTOR = '@actor';
const STREAM = '@stream';

/** In the metadata of every event: who acted, and the use of a write. A use is its token's owner's. */
const METADATA: readonly PersonalValue[] = [
  { at: 'actor.person.name', of: 'actor.person.id' },
  { at: 'actor.label', of: 'actor.person.id' },
  { at: 'use.client_address', of: 'actor.person.id' },
  { at: 'use.client_name', of: 'actor.person.id' },
];

const NONE: readonly PersonalValue[] = [];
const THEIR_NAME: readonly PersonalValue[] = [{ at: 'name', of: STREAM }];
const THEIR_TOKEN = (at = ''): readonly PersonalValue[] => [
  { at: `${at}owner.name`, of: `${at}owner.id` },
  { at: `${at}name`, of: `${at}owner.id` },
];
const THOSE_ASSIGNED: readonly PersonalValue[] = [{ at: 'assignees.*.name', of: 'assignees.*.id' }];
const LABEL: readonly PersonalValue[] = [{ at: 'label', of: ACTOR }];

/** In the data of each type of event; a test finds every declared type here. */
export const PERSONAL_DATA: Readonly<Record<string, readonly PersonalValue[]>> = {
  WorkspaceFounded: [{ at: 'owner.name', of: 'owner.id' }, ...THEIR_TOKEN('operator.')],

  PersonAdded: THEIR_NAME,
  PersonRenamed: THEIR_NAME,
  PersonErased: NONE,
  PersonErasureOrdered: NONE,
  MemberAdded: NONE,
  MemberRemoved: NONE,

  TokenCreated: THEIR_TOKEN(),
  TokenRenamed: [{ at: 'name', of: 'owner' }],
  TokenScoped: NONE,
  TokenLimitsChanged: NONE,
  TokenSuspended: NONE,
  TokenResumed: NONE,
  TokenRotated: NONE,
  TokenRevoked: NONE,
  TokenExpired: NONE,

  TokenUsed: [
    { at: 'client_address', of: ACTOR },
    { at: 'client_name', of: ACTOR },
  ],
  TokenUseEnded: NONE,
  // Counted by network, and mostly of nobody known.
  TokenUsesDenied: NONE,
  JournalOpened: NONE,
  UsesTallied: NONE,

  RunOpened: LABEL,
  RunClaimed: NONE,
  StepRecorded: LABEL,
  StepDeferred: NONE,
  RunEnded: NONE,
  RoutineCreated: NONE,
  RoutineUpdated: NONE,
  RoutinePaused: NONE,
  RoutineResumed: NONE,
  RoutineSlotsSkipped: NONE,
  RoutineDeleted: NONE,

  ReportCreated: NONE,
  ReportUpdated: NONE,
  CommentAdded: NONE,
  CommentReplied: NONE,
  CommentResolved: NONE,

  CompanyCreated: NONE,
  CompanyRenamed: NONE,
  CompanyLimitsChanged: NONE,
  ProjectCreated: NONE,
  ProjectDescribed: NONE,
  ProjectArchived: NONE,
  ProjectRestored: NONE,
  ColumnAdded: NONE,
  ColumnRenamed: NONE,
  ColumnMoved: NONE,
  ColumnRemoved: NONE,
  TicketCreated: THOSE_ASSIGNED,
  TicketUpdated: NONE,
  TicketMoved: NONE,
  TicketArchived: NONE,
  TicketRestored: NONE,
  TicketBranchRecorded: NONE,
  TicketAssigned: THOSE_ASSIGNED,
  TicketCommented: NONE,
  AssetUploaded: NONE,
  AssetAnnotated: NONE,

  ResourceWatched: NONE,
  ResourceUnwatched: NONE,
  CheckpointPublished: NONE,
  CheckpointCosigned: NONE,
};

/** A personal value found in an event. */
export interface Found {
  readonly person: string;
  /** `data.owner.name`, `metadata.actor.label` */
  readonly at: string;
  readonly value: string;
}

/** The personal values of an event of a stream. */
export function personalValuesOf(stream: string, { type, data, metadata }: NewEvent): readonly Found[] {
  const found: Found[] = [];
  const declared = Object.hasOwn(PERSONAL_DATA, type) ? PERSONAL_DATA[type]! : NONE;
  if (declared !== NONE) find(found, 'data.', data, declared, stream, metadata);
  find(found, 'metadata.', metadata, METADATA, stream, metadata);
  return found;
}

function find(
  found: Found[],
  part: string,
  within: unknown,
  declared: readonly PersonalValue[],
  stream: string,
  metadata: NewEvent['metadata'],
): void {
  for (const { at, of } of declared) {
    const each = at.indexOf('.*.');
    const places = each === -1 ? 1 : lengthOf(valueAt(within, at.slice(0, each)));
    for (let place = 0; place < places; place++) {
      const path = each === -1 ? at : at.replace('*', String(place));
      const value = valueAt(within, path);
      if (typeof value !== 'string') continue;
      const person = personNamed(each === -1 ? of : of.replace('*', String(place)), within, stream, metadata);
      if (typeof person === 'string') found.push({ person, at: part + path, value });
    }
  }
}

function personNamed(of: string, within: unknown, stream: string, metadata: NewEvent['metadata']): unknown {
  if (of === ACTOR) return valueAt(metadata, 'actor.person.id');
  return of === STREAM ? stream.slice(stream.indexOf('-') + 1) : valueAt(within, of);
}

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0);

const paths = new Map<string, readonly string[]>();

/** The steps of a path. Those that are asked for are few: the declared ones, and those of lists. */
export function stepsOf(path: string): readonly string[] {
  const known = paths.get(path);
  if (known !== undefined) return known;
  const steps = path.split('.');
  if (paths.size < MOST_PATHS) paths.set(path, steps);
  return steps;
}

const MOST_PATHS = 1_000;

function valueAt(within: unknown, path: string): unknown {
  let value = within;
  for (const step of stepsOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string, unknown>>)[step];
  }
  return value;
}
