import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { CqrsModule } from '@nestjs/cqrs';
import { TerminusModule } from '@nestjs/terminus';
import { READ_AUDIT } from '../../libs/audit/operations/read-audit.ts';
import type { Catalogues } from '../../libs/catalogue/catalogue.ts';
import { FindComment } from '../../libs/comma/reports/find-comment.ts';
import {
  GetReportOperation,
  ListCommentsOperation,
  ListReportActivityOperation,
  ListReportsOperation,
} from '../../libs/comma/reports/operations/read-reports.ts';
import {
  AddCommentOperation,
  ReplyToCommentOperation,
  ResolveCommentOperation,
} from '../../libs/comma/reports/operations/write-comments.ts';
import { CreateReportOperation, UpdateReportOperation } from '../../libs/comma/reports/operations/write-reports.ts';
import { DecideReportHandler } from '../../libs/comma/reports/report-commands.ts';
import { DigestKeeper } from '../../libs/digests/digest-keeper.ts';
import { READ_DIGESTS } from '../../libs/digests/operations/read-digests.ts';
import { Gate } from '../../libs/gate/gate.ts';
import { CanIOperation, WhoAmIOperation } from '../../libs/identity/operations/who-am-i.ts';
import {
  ASSET_STORE,
  CATALOGUES,
  CLOCK,
  EVENT_LOG,
  FRESHNESS,
  HOT_VIEW,
  MAINTAINED_VIEWS,
  OUTLETS,
  RETENTION,
  SETTINGS,
  TREE,
} from '../../libs/injection-tokens.ts';
import { McpFace } from '../../libs/mcp/mcp-face.ts';
import { AtHead } from '../../libs/operation/at-head.ts';
import { Operations } from '../../libs/operation/operations.ts';
import { READ_PEOPLE } from '../../libs/people/operations/read-people.ts';
import { ErasePersonOperation } from '../../libs/people/operations/erase-person.ts';
import { WRITE_PEOPLE } from '../../libs/people/operations/write-people.ts';
import { DecidePersonHandler } from '../../libs/people/person-commands.ts';
import { PersonKeys } from '../../libs/privacy/person-keys.ts';
import { READ_PROJECTIONS } from '../../libs/projection/operations/read-projections.ts';
import { STEER_PROJECTIONS } from '../../libs/projection/operations/steer-projections.ts';
import { READ_DB } from '../../libs/read-db/read-db.ts';
import { RestFace } from '../../libs/rest/rest-face.ts';
import { READ_ROUTINES } from '../../libs/routines/operations/read-routines.ts';
import { STEER_ROUTINES } from '../../libs/routines/operations/steer-routines.ts';
import { WRITE_ROUTINES } from '../../libs/routines/operations/write-routines.ts';
import { DecideRoutineHandler, DecideRunHandler } from '../../libs/routines/routine-commands.ts';
import { RoutineDesk } from '../../libs/routines/routine-desk.ts';
import { RoutineFace } from '../../libs/routines/runner/routine-face.ts';
import { RoutineRunner } from '../../libs/routines/runner/routine-runner.ts';
import { ChangeTokenOperation } from '../../libs/tokens/operations/change-token.ts';
import { CreateTokenOperation } from '../../libs/tokens/operations/create-token.ts';
import { FindRequestOperation } from '../../libs/tokens/operations/find-request.ts';
import {
  GetTokenHistoryOperation,
  GetTokenOperation,
  ListTokensOperation,
} from '../../libs/tokens/operations/read-tokens.ts';
import { ReplayTokenOperation } from '../../libs/tokens/operations/replay-token.ts';
import { ResumeTokenOperation } from '../../libs/tokens/operations/resume-token.ts';
import { RevokeTokenOperation } from '../../libs/tokens/operations/revoke-token.ts';
import { RevokeTokensOfPersonOperation } from '../../libs/tokens/operations/revoke-tokens-of-person.ts';
import { RotateTokenOperation } from '../../libs/tokens/operations/rotate-token.ts';
import { SuspendTokenOperation } from '../../libs/tokens/operations/suspend-token.ts';
import { TokenAnswers } from '../../libs/tokens/token-answers.ts';
import { DecideTokenHandler, HandOverHandler } from '../../libs/tokens/token-commands.ts';
import { TokenRecords } from '../../libs/tokens/token-records.ts';
import { TokensOfPerson } from '../../libs/tokens/tokens-of-person.ts';
import { CosignCheckpointOperation } from '../../libs/transparency/operations/cosign-checkpoint.ts';
import { ExportAuditOperation } from '../../libs/transparency/operations/export-audit.ts';
import { RETENTION_OPERATIONS } from '../../libs/retention/operations/retention-operations.ts';
import { GetOutletsOperation } from '../../libs/transparency/operations/get-outlets.ts';
import {
  GetCheckpointOperation,
  GetTileOperation,
  ListSigningKeysOperation,
  ProveConsistencyOperation,
  ProveInclusionOperation,
} from '../../libs/transparency/operations/read-tree.ts';
import { CheckpointPublisher } from '../../libs/transparency/publisher.ts';
import { Denials } from '../../libs/usage/denials.ts';
import { UsageJournal } from '../../libs/usage/journal.ts';
import { AUDIT_QUERIES } from '../../projections/audit/queries.ts';
import { DIGEST_QUERIES } from '../../projections/digests/queries.ts';
import { PEOPLE_QUERIES } from '../../projections/people/queries.ts';
import { REPORT_QUERIES } from '../../projections/reports/queries.ts';
import { ROUTINE_QUERIES } from '../../projections/routines/queries.ts';
import { ROUTINE_WORK_QUERIES } from '../../projections/routines/work-queries.ts';
import { TOKEN_USE_QUERIES } from '../../projections/token-uses/queries.ts';
import { TOKEN_QUERIES } from '../../projections/tokens/queries.ts';
import {
  ChangeWorkspaceLimitsOperation,
  GetWorkspaceLimitsOperation,
} from '../../libs/workspace/operations/workspace-limits.ts';
import { DecideWorkspaceHandler } from '../../libs/workspace/workspace-commands.ts';
import type { Settings } from '../../libs/settings/settings.ts';
import type { Parts } from './compose.ts';
import { HealthController } from './health.controller.ts';
import { TOADO } from './toado.providers.ts';

const TOKENS = [
  CreateTokenOperation,
  ListTokensOperation,
  GetTokenOperation,
  GetTokenHistoryOperation,
  ReplayTokenOperation,
  ChangeTokenOperation,
  RotateTokenOperation,
  SuspendTokenOperation,
  ResumeTokenOperation,
  RevokeTokenOperation,
  RevokeTokensOfPersonOperation,
  FindRequestOperation,
  WhoAmIOperation,
  CanIOperation,
  TokenRecords,
  TokensOfPerson,
  TokenAnswers,
  DecideTokenHandler,
  HandOverHandler,
];

const COMMA = [
  ListReportsOperation,
  GetReportOperation,
  ListReportActivityOperation,
  CreateReportOperation,
  UpdateReportOperation,
  ListCommentsOperation,
  AddCommentOperation,
  ReplyToCommentOperation,
  ResolveCommentOperation,
  FindComment,
  DecideReportHandler,
];

const PEOPLE = [...WRITE_PEOPLE, ErasePersonOperation, ...READ_PEOPLE, DecidePersonHandler];

const WORKSPACE = [GetWorkspaceLimitsOperation, ChangeWorkspaceLimitsOperation, DecideWorkspaceHandler];

const ROUTINES = [
  ...READ_ROUTINES,
  ...WRITE_ROUTINES,
  ...STEER_ROUTINES,
  RoutineDesk,
  DecideRoutineHandler,
  DecideRunHandler,
  RoutineFace,
  RoutineRunner,
];

const PROOF = [
  GetCheckpointOperation,
  GetTileOperation,
  ProveInclusionOperation,
  ProveConsistencyOperation,
  ListSigningKeysOperation,
  CosignCheckpointOperation,
  ExportAuditOperation,
  GetOutletsOperation,
];

const DIGESTS = [...READ_DIGESTS, ...DIGEST_QUERIES, DigestKeeper];

const QUERIES = [
  ...PEOPLE_QUERIES,
  ...REPORT_QUERIES,
  ...TOKEN_QUERIES,
  ...TOKEN_USE_QUERIES,
  ...ROUTINE_QUERIES,
  ...ROUTINE_WORK_QUERIES,
];

/** Everything that is made anew in each process: the way in, the faces, the products. */
export const PARTS: readonly Type[] = [
  Operations,
  AtHead,
  Gate,
  // First: Express looks for a route in the order they came, and MCP has one.
  McpFace,
  RestFace,
  ...TOKENS,
  ...COMMA,
  ...TOADO,
  ...ROUTINES,
  ...PEOPLE,
  ...WORKSPACE,
  ...PROOF,
  ...QUERIES,
  ...AUDIT_QUERIES,
  ...READ_AUDIT,
  ...DIGESTS,
  ...READ_PROJECTIONS,
  ...STEER_PROJECTIONS,
  ...RETENTION_OPERATIONS,
];

@Module({})
export class AppModule {
  /**
   * @param clock what routines are due by, Unix ms
   * @param products operations of further products, with what they need
   */
  static of(
    settings: Settings,
    parts: Parts,
    catalogues: Catalogues,
    clock: () => number,
    products: readonly Provider[],
  ): DynamicModule {
    return {
      module: AppModule,
      imports: [CqrsModule.forRoot(), DiscoveryModule, TerminusModule.forRoot({ logger: false })],
      controllers: [HealthController],
      providers: [
        { provide: EVENT_LOG, useValue: parts.log },
        { provide: PersonKeys, useValue: parts.keys },
        { provide: HOT_VIEW, useValue: parts.view },
        { provide: READ_DB, useValue: parts.readDb },
        { provide: FRESHNESS, useValue: parts.freshness },
        { provide: MAINTAINED_VIEWS, useValue: parts.views },
        { provide: CATALOGUES, useValue: catalogues },
        { provide: CLOCK, useValue: clock },
        { provide: SETTINGS, useValue: settings },
        { provide: UsageJournal, useValue: parts.journal },
        { provide: Denials, useValue: parts.denials },
        { provide: TREE, useValue: parts.tree },
        { provide: OUTLETS, useValue: parts.outlets },
        { provide: RETENTION, useValue: parts.retention },
        { provide: CheckpointPublisher, useValue: parts.publisher },
        { provide: ASSET_STORE, useValue: parts.assets },
        ...PARTS,
        ...products,
      ],
    };
  }
}
