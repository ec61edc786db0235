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
  /** It tells of nobody where the use at this place was a routine's step: there the server itself calls. */
  readonly unlessRoutine?: string;
}

const ACTOR = '@actor';
const STREAM = '@stream';

/** In the metadata of every event: who acted, and the use of a write. A use is its token's owner's. */
const METADATA: readonly PersonalValue[] = [
  { at: 'actor.person.name', of: 'actor.person.id' },
  { at: 'actor.label', of: 'actor.person.id' },
  { at: 'use.client_address', of: 'actor.person.id', unlessRoutine: 'use.face' },
  { at: 'use.client_name', of: 'actor.person.id', unlessRoutine: 'use.face' },
];

const NONE: readonly PersonalValue[] = [];
const THEIR_NAME: readonly PersonalValue[] = [{ at: 'name', of: STREAM }];
const THEIR_TOKEN = (at = ''): readonly PersonalValue[] => [
  { at: `${at}owner.name`, of: `${at}owner.id` },
  { at: `${at}name`, of: `${at}owner.id` },
];
const THOSE_ASSIGNED: readonly PersonalValue[] = [{ at: 'assignees.*.name', of: 'assignees.*.id' }];
/** The rows of a digest that name a token, its owner with it. */
const THE_TOKENS_OF = (list: string): readonly PersonalValue[] => [
  { at: `digest.${list}.items.*.token.label`, of: `digest.${list}.items.*.token.owner.id` },
  { at: `digest.${list}.items.*.token.owner.name`, of: `digest.${list}.items.*.token.owner.id` },
];
const TOKEN_LISTS_OF_A_DIGEST = [
  'tokens',
  'throttled_tokens',
  'unused_tokens',
  'unused_scopes',
  'changes',
  'expired_tokens',
  'first_seen_addresses',
];
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

  UsageArchived: NONE,
  UsageScavenged: NONE,
  LegalHoldPlaced: NONE,
  LegalHoldLifted: NONE,

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
    { at: 'client_address', of: ACTOR, unlessRoutine: 'face' },
    { at: 'client_name', of: ACTOR, unlessRoutine: 'face' },
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
  RoutineRebound: NONE,
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
  WorkspaceCeilingChanged: NONE,
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
  AnnotationRemoved: NONE,
  AssetRemoved: NONE,

  PeriodClosed: NONE,
  PeriodDigested: NONE,
  DigestMade: [
    ...TOKEN_LISTS_OF_A_DIGEST.flatMap(THE_TOKENS_OF),
    { at: 'digest.first_seen_addresses.items.*.address', of: 'digest.first_seen_addresses.items.*.token.owner.id' },
    { at: 'digest.changes.items.*.name', of: 'digest.changes.items.*.token.owner.id' },
    { at: 'digest.changes.items.*.by.person.name', of: 'digest.changes.items.*.by.person.id' },
    { at: 'digest.changes.items.*.by.label', of: 'digest.changes.items.*.by.person.id' },
  ],

  ResourceWatched: NONE,
  ResourceUnwatched: NONE,
  CheckpointPublished: NONE,
  CheckpointCosigned: NONE,
  HistoryPushed: NONE,
  AuditExportBegun: NONE,
  AuditExportWritten: NONE,
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

/** A bound on the bytes that sealing adds to an event. */
export function mostBytesSealing(found: readonly Found[]): number {
  let bytes = 0;
  for (const { at, value } of found) bytes += at.length + 2 * Buffer.byteLength(JSON.stringify(value)) + BYTES_A_VALUE;
  return bytes + new Set(found.map(({ person }) => person)).size * BYTES_A_PERSON;
}

/** Quotes and commas; id, name of the key, commitment, tag and their names. */
const BYTES_A_VALUE = 16;
const BYTES_A_PERSON = 256;

function find(
  found: Found[],
  part: string,
  within: unknown,
  declared: readonly PersonalValue[],
  stream: string,
  metadata: NewEvent['metadata'],
): void {
  for (const { at, of, unlessRoutine } of declared) {
    if (unlessRoutine !== undefined && valueAt(within, unlessRoutine) === 'routine') continue;
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
