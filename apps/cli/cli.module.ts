import { type DynamicModule, Module } from '@nestjs/common';
import { AUDIT_COMMANDS, AuditGroupCommand } from './commands/audit.ts';
import { DIGEST_COMMANDS, DigestGroupCommand } from './commands/digest.ts';
import { DemoCommand } from './commands/demo.ts';
import { InitCommand, RecoverCommand } from './commands/founding.ts';
import { KEY_COMMANDS, KeyGroupCommand } from './commands/key.ts';
import { MeCommand } from './commands/me.ts';
import { PEOPLE_COMMANDS, PeopleGroupCommand } from './commands/people.ts';
import { PROJECTION_COMMANDS, ProjectionsGroupCommand } from './commands/projections.ts';
import { ReplayCommand } from './commands/replay.ts';
import { RETENTION_COMMANDS, RetentionGroupCommand } from './commands/retention.ts';
import { ROUTINE_COMMANDS, RoutineGroupCommand } from './commands/routine.ts';
import { TOKEN_COMMANDS, TokenGroupCommand } from './commands/token.ts';
import { WhyCommand } from './commands/why.ts';
import { WORKSPACE_COMMANDS, WorkspaceGroupCommand } from './commands/workspace.ts';
import { RootHelp } from './root-help.ts';
import { Terminal } from './terminal.ts';
import { WritClient } from './writ-client.ts';

@Module({})
export class CliModule {
  static of(terminal: Terminal): DynamicModule {
    return {
      module: CliModule,
      providers: [
        { provide: Terminal, useValue: terminal },
        WritClient,
        RootHelp,
        TokenGroupCommand,
        ...TOKEN_COMMANDS,
        RoutineGroupCommand,
        ...ROUTINE_COMMANDS,
        ProjectionsGroupCommand,
        ...PROJECTION_COMMANDS,
        PeopleGroupCommand,
        ...PEOPLE_COMMANDS,
        WorkspaceGroupCommand,
        ...WORKSPACE_COMMANDS,
        RetentionGroupCommand,
        ...RETENTION_COMMANDS,
        AuditGroupCommand,
        ...AUDIT_COMMANDS,
        KeyGroupCommand,
        ...KEY_COMMANDS,
        DigestGroupCommand,
        ...DIGEST_COMMANDS,
        MeCommand,
        WhyCommand,
        ReplayCommand,
        DemoCommand,
        InitCommand,
        RecoverCommand,
      ],
    };
  }
}
