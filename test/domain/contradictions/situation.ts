import type {
  ContradictionInput,
  MemorySide,
  RequestSide,
} from '../../../src/domain/contradictions/contradiction.ts';

/** A situation is described by what it has: providers that are not named were not asked. */
export interface SituationInput {
  readonly stytch?: object | 'unknown';
  readonly mobilerun?: object | 'unknown';
  readonly prefactor?: object | 'unknown';
  readonly request?: Partial<RequestSide>;
  readonly memory?: Partial<MemorySide>;
  readonly params?: ContradictionInput['params'];
}

/** What one contradiction makes of one situation. */
export interface ContradictionSituation {
  readonly title: string;
  readonly id: string;
  readonly input: SituationInput;
  readonly expect: boolean | 'unknown' | 'none';
  /** A part of what it says why. */
  readonly because?: object;
}
