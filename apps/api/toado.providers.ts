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
  UpdateColumnOperation,
} from '../../libs/toado/projects/operations/write-columns.ts';
import {
  ArchiveProjectOperation,
  CreateProjectOperation,
  RestoreProjectOperation,
  UpdateProjectOperation,
} from '../../libs/toado/projects/operations/write-projects.ts';
import { DecideProjectHandler } from '../../libs/toado/projects/project-commands.ts';
import { COMPANY_QUERIES } from '../../projections/toado/company-queries.ts';
import { PROJECT_QUERIES } from '../../projections/toado/project-queries.ts';

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
  ProjectAnswers,
  DecideProjectHandler,
  ...COMPANY_QUERIES,
  ...PROJECT_QUERIES,
];
