import { Command } from 'nest-commander';
import { findConnection } from '../connection.ts';
import { Terminal } from '../terminal.ts';
import { WritCommand } from './writ-command.ts';

@Command({
  name: 'demo',
  description: 'Fill the workspace with a sample: agents, reports, a routine, tickets; done again it does nothing',
})
export class DemoCommand extends WritCommand {
  protected readonly examples = ['writ demo'];

  constructor(private readonly terminal: Terminal) {
    super();
  }

  async run(): Promise<void> {
    const { url, token } = findConnection(this.terminal.env);
    const { fillSample } = await import('../../../libs/sample/fill-sample.ts');
    const filled = (await fillSample(url, token)) === 'filled';
    this.terminal.line(filled ? 'The sample is there: writ token list' : 'The sample was there: nothing was changed.');
  }
}
