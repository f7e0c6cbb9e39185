import { describeProvider } from './contract.ts';
import { startManual } from './harnesses.ts';

describeProvider('manual', () => startManual());
