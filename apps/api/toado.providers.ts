import { DecideAssetHandler } from '../../libs/toado/assets/asset-commands.ts';
import { AnnotateAssetOperation } from '../../libs/toado/assets/operations/annotate-asset.ts';
import {
  DownloadAssetOperation,
  GetAssetOperation,
  ListAnnotationsOperation,
  ListAssetsOperation,
} from '../../libs/toado/assets/operations/read-assets.ts';
import { RemoveAnnotationOperation, RemoveAssetOperation } from '../../libs/toado/assets/operations/remove-assets.ts';
import { UploadAssetOperation } from '../../libs/toado/assets/operations/upload-asset.ts';
import { SearchOperation } from '../../libs/toado/search/search-operation.ts';
import { ASSET_QUERIES } from '../../projections/toado/asset-queries.ts';
import { SearchHandler } from '../../projections/toado/search-query.ts';
import { DecideCompanyHandler } from '../../libs/toado/companies/company-commands.ts';
import { GetCompanyOperation, ListCompaniesOperation } from '../../libs/toado/companies/operations/read-companies.ts';
import {
  ChangeCompanyLimitsOperation,
  CreateCompanyOperation,
  UpdateCompanyOperation,
} from '../../libs/toado/companies/operations/write-companies.ts';
import { ProjectAnswers } from '../../libs/toado/projects/operations/project-answers.ts';
import {
  GetColumnOperation,
  GetProjectOperation,
  ListColumnsOperation,
  ListCompanyProjectsOperation,
  ListProjectsOperation,
} from '../../libs/toado/projects/operations/read-projects.ts';
import {
  CreateColumnOperation,
  MoveColumnOperation,
  RemoveColumnOperation,
  UpdateColumnOperation,
} from '../../libs/toado/projects/operations/write-columns.ts';
import {
  ArchiveProjectOperation,
  CreateProjectOperation,
  RestoreProjectOperation,
  UpdateProjectOperation,
} from '../../libs/toado/projects/operations/write-projects.ts';
import { DecideProjectHandler } from '../../libs/toado/projects/project-commands.ts';
import { AssignTicketOperation, UnassignTicketOperation } from '../../libs/toado/tickets/operations/assign-tickets.ts';
import { BulkAnswers } from '../../libs/toado/tickets/operations/bulk-answers.ts';
import {
  BulkAssignTicketsOperation,
  BulkMoveTicketsOperation,
} from '../../libs/toado/tickets/operations/bulk-tickets.ts';
import { CreateCommentOperation } from '../../libs/toado/tickets/operations/comment-on-tickets.ts';
import { MoveTicketOperation, RestoreTicketOperation } from '../../libs/toado/tickets/operations/place-tickets.ts';
import {
  GetTicketOperation,
  ListTicketActivityOperation,
  ListTicketCommentsOperation,
  ListTicketsOperation,
} from '../../libs/toado/tickets/operations/read-tickets.ts';
import { TicketAnswers } from '../../libs/toado/tickets/operations/ticket-answers.ts';
import {
  ArchiveTicketOperation,
  CreateTicketOperation,
  RecordBranchOperation,
  UpdateTicketOperation,
} from '../../libs/toado/tickets/operations/write-tickets.ts';
import { Spots } from '../../libs/toado/tickets/spots.ts';
import { DecideTicketHandler } from '../../libs/toado/tickets/ticket-commands.ts';
import { COMPANY_QUERIES } from '../../projections/toado/company-queries.ts';
import { FindGapHandler } from '../../projections/toado/gap-query.ts';
import { PROJECT_QUERIES } from '../../projections/toado/project-queries.ts';
import { TICKET_QUERIES } from '../../projections/toado/ticket-queries.ts';

/** What Toado is made of: its operations, command handlers and queries. */
export const TOADO = [
  ListCompaniesOperation,
  GetCompanyOperation,
  CreateCompanyOperation,
  UpdateCompanyOperation,
  ChangeCompanyLimitsOperation,
  DecideCompanyHandler,
  ListProjectsOperation,
  ListCompanyProjectsOperation,
  GetProjectOperation,
  ListColumnsOperation,
  GetColumnOperation,
  CreateProjectOperation,
  UpdateProjectOperation,
  ArchiveProjectOperation,
  RestoreProjectOperation,
  CreateColumnOperation,
  UpdateColumnOperation,
  MoveColumnOperation,
  RemoveColumnOperation,
  ProjectAnswers,
  DecideProjectHandler,
  ListTicketsOperation,
  GetTicketOperation,
  ListTicketCommentsOperation,
  ListTicketActivityOperation,
  CreateTicketOperation,
  UpdateTicketOperation,
  ArchiveTicketOperation,
  RestoreTicketOperation,
  MoveTicketOperation,
  RecordBranchOperation,
  AssignTicketOperation,
  UnassignTicketOperation,
  CreateCommentOperation,
  BulkMoveTicketsOperation,
  BulkAssignTicketsOperation,
  BulkAnswers,
  TicketAnswers,
  Spots,
  DecideTicketHandler,
  UploadAssetOperation,
  ListAssetsOperation,
  GetAssetOperation,
  DownloadAssetOperation,
  AnnotateAssetOperation,
  ListAnnotationsOperation,
  RemoveAnnotationOperation,
  RemoveAssetOperation,
  DecideAssetHandler,
  ...ASSET_QUERIES,
  SearchOperation,
  SearchHandler,
  FindGapHandler,
  ...TICKET_QUERIES,
  ...COMPANY_QUERIES,
  ...PROJECT_QUERIES,
];
