import type { FunctionComponent } from 'preact';
import type { Session } from './session.ts';

/** What every view is given. */
export interface ViewProperties {
  readonly session: Session;
}

/** A view: a `<main class="page">` below the header. */
export type View = FunctionComponent<ViewProperties>;
