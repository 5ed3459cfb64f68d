import type { DecisionSink } from '../../../application/decision-log/decision-log.ts';
import { createRecordTexts } from '../../../domain/decision-log/record-text.ts';

/**
 * Writes records as JSON lines to whatever takes text, such as standard output. Nothing says whether they
 * arrive.
 */
export function createDecisionStream(write: (text: string) => void): DecisionSink {
  const textOf = createRecordTexts();
  return {
    id: 'stdout',
    isDurable: false,
    isShared: false,
    append: ({ records }) => {
      write(records.map((record) => `${textOf(record)}\n`).join(''));
      return true;
    },
    close: async () => {},
  };
}
