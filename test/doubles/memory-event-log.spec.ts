import { eventLogContract } from '../contract/event-log.contract.ts';
import { MemoryEventLog } from './memory-event-log.ts';

eventLogContract('memory', () => Promise.resolve({ log: new MemoryEventLog() }), {
  reopen: 'nothing outlives the object',
  reconnect: 'there is no connection',
  'unknown outcome': 'there is no connection',
  'change of leader': 'there is no cluster',
});
