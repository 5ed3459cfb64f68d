import type { ViewName } from './address.ts';
import { DecisionsView } from './decisions-view.tsx';
import type { View } from './view.ts';

interface RegisteredView {
  /** The text of its tab. */
  readonly tab: string;
  /** A view of something in particular has a tab only while it is shown: links lead to it. */
  readonly isLinkedOnly?: boolean;
  /** The view itself, or what fetches it when it is first shown: then it is no part of the first load. */
  readonly view: { readonly shown: View } | { readonly load: () => Promise<View> };
  /** What of the header concerns it: the choice of a window, and how the stream of decisions stands. */
  readonly uses: readonly ('window' | 'stream')[];
}

const DECISIONS: RegisteredView = {
  tab: 'Decisions',
  view: { shown: DecisionsView },
  uses: ['window', 'stream'],
};

const REVIEW: RegisteredView = {
  tab: 'Review',
  view: { load: async () => (await import('./review/review-view.tsx')).ReviewView },
  uses: [],
};

const GROUPS: RegisteredView = {
  tab: 'Groups',
  view: { load: async () => (await import('./groups/groups-view.tsx')).GroupsView },
  uses: ['window'],
};

const RULES: RegisteredView = {
  tab: 'Rules',
  view: { load: async () => (await import('./rules/rules-view.tsx')).RulesView },
  uses: ['window'],
};

const POLICY: RegisteredView = {
  tab: 'Policy',
  view: { load: async () => (await import('./policy/policy-view.tsx')).PolicyView },
  uses: ['window'],
};

const ALERTS: RegisteredView = {
  tab: 'Alerts',
  view: { load: async () => (await import('./alerts/alerts-view.tsx')).AlertsView },
  uses: [],
};

/** The views that there are, in the order of their tabs. */
export const VIEWS: ReadonlyMap<ViewName, RegisteredView> = new Map<ViewName, RegisteredView>([
  ['decisions', DECISIONS],
  [
    'subject',
    {
      tab: 'Subject',
      isLinkedOnly: true,
      view: { load: async () => (await import('./subject/subject-view.tsx')).SubjectView },
      uses: ['stream'],
    },
  ],
  ['review', REVIEW],
  ['groups', GROUPS],
  ['rules', RULES],
  ['policy', POLICY],
  ['alerts', ALERTS],
]);

/** A view by its name; the first one for a name that is not registered. */
export function viewOf(name: ViewName): RegisteredView {
  return VIEWS.get(name) ?? DECISIONS;
}
