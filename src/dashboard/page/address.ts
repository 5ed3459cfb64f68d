/** The windows of the charts. */
export const WINDOWS = ['15m', '1h', '6h', '24h', '7d', '30d'] as const;

/** A window of time that the page offers. */
export type Window = (typeof WINDOWS)[number];

/** The views of the page. Those that `views.tsx` does not register are not shown. */
const VIEW_NAMES = ['decisions', 'subject', 'review', 'groups', 'rules', 'policy', 'alerts'] as const;

/** A view, by its name in the URL. */
export type ViewName = (typeof VIEW_NAMES)[number];

/** The parts of a subject that have a page, by their names in the URL and in `GET /v1/subjects`. */
export const PARTS = ['telemetry', 'device', 'account', 'ip', 'visitor'] as const;

/** A part of a subject, by its keyed hash. */
export interface SubjectRef {
  readonly part: (typeof PARTS)[number];
  /** 32 hexadecimal digits: never the identifier itself. */
  readonly hash: string;
}

/** The filters that an address may carry. Identifiers are not among them, their keyed hashes are. */
export const FILTER_NAMES = [
  'decision',
  'reason',
  'rule',
  'label',
  'provider_outcome',
  'caller',
  'entry_point',
  'action',
  'degraded',
  'policy',
  'transition',
  'country',
  'asn',
  ...PARTS,
  'since',
  'until',
] as const;

/** A filter of the list, by its name in the URL. */
export type FilterName = (typeof FILTER_NAMES)[number];
type Filters = Readonly<Partial<Record<FilterName, string>>>;

/** What decisions are counted by, two at a time. Their values are those of the filters of the same name. */
export const GROUPS = [
  'decision',
  'reason',
  'rule',
  'caller',
  'action',
  'entry_point',
  'policy',
  'provider_outcome',
  'country',
  'asn',
  'label',
] as const;

/** One of them. */
export type GroupName = (typeof GROUPS)[number];

/** What of the page's state is in its URL. */
export interface Address {
  readonly view: ViewName;
  /** Whom the subject view shows. */
  readonly subject: SubjectRef | null;
  readonly window: Window;
  readonly filters: Filters;
  /** Whether the window before is shown too. */
  readonly compare: boolean;
  /** The rows and the columns of the view of groups. */
  readonly groups: readonly [GroupName, GroupName];
  /** The decision that is open. */
  readonly decisionId: string | null;
}

const VIEW_DEFAULT: ViewName = 'decisions';
const WINDOW_DEFAULT: Window = '1h';
const GROUPS_DEFAULT: Address['groups'] = ['country', 'decision'];
/** Longer than any filter that the service takes. */
const VALUE_LENGTH_MAX = 120;

/** A UUIDv7. Whatever else was typed may be an identifier of a person, and stays out of the URL. */
export function isDecisionId(text: string): boolean {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i.test(text);
}

/** `device/0011…` of the URL, or null for whatever else. */
function parseSubject(text: string): SubjectRef | null {
  const [part, hash = ''] = text.split('/');
  const known = PARTS.find((one) => one === part);
  return known !== undefined && /^[0-9a-f]{32}$/.test(hash) ? { part: known, hash } : null;
}

function isValueOf(name: FilterName, value: string): boolean {
  if (PARTS.some((part) => part === name)) return /^#[0-9a-f]{32}$/.test(value);
  return value !== '' && value.length <= VALUE_LENGTH_MAX;
}

/** Two different groups with a comma between, or those that the view opens with. */
function parseGroups(text: string): Address['groups'] {
  const [first, second] = text.split(',').map((name) => GROUPS.find((group) => group === name));
  if (first === undefined || second === undefined || first === second) return GROUPS_DEFAULT;
  return [first, second];
}

/** Reads the query of a URL; what makes no sense is left out. `windowDefault` is that of one without a window. */
export function parseAddress(search: string, windowDefault = WINDOW_DEFAULT): Address {
  const parameters = new URLSearchParams(search);
  const filters: Partial<Record<FilterName, string>> = {};
  for (const name of FILTER_NAMES) {
    const value = parameters.get(name);
    if (value !== null && isValueOf(name, value)) filters[name] = value;
  }
  const decisionId = parameters.get('decision_id');
  return {
    view: VIEW_NAMES.find((one) => one === parameters.get('view')) ?? VIEW_DEFAULT,
    subject: parseSubject(parameters.get('subject') ?? ''),
    window: WINDOWS.find((one) => one === parameters.get('window')) ?? windowDefault,
    filters,
    compare: parameters.get('compare') === 'previous',
    groups: parseGroups(parameters.get('groups') ?? ''),
    decisionId: decisionId !== null && isDecisionId(decisionId) ? decisionId : null,
  };
}

/**
 * The query of the address, with its question mark; empty for the page as it opens. `windowDefault` is the window
 * that one has without saying so.
 */
export function formatAddress(
  { view, subject, window, filters, compare, groups, decisionId }: Address,
  windowDefault = WINDOW_DEFAULT,
): string {
  const parameters = new URLSearchParams();
  if (view !== VIEW_DEFAULT) parameters.set('view', view);
  if (view === 'subject' && subject !== null) parameters.set('subject', `${subject.part}/${subject.hash}`);
  if (window !== windowDefault) parameters.set('window', window);
  for (const name of FILTER_NAMES) {
    const value = filters[name];
    if (value !== undefined) parameters.set(name, value);
  }
  if (compare) parameters.set('compare', 'previous');
  if (view === 'groups' && groups.join() !== GROUPS_DEFAULT.join()) parameters.set('groups', groups.join());
  if (decisionId !== null) parameters.set('decision_id', decisionId);
  const text = parameters.toString();
  return text === '' ? '' : `?${text}`;
}
